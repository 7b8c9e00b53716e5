/** What the server says of itself, asked every second; more seldom while it does not answer. */

import * as api from "./api.js";
import { byId } from "./nodes.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

const EVERY = 1000; // ms
const LONGEST = 15_000;
/** @type {((status: any) => void)[]} */
const readers = [];
let wait = EVERY;
let failed = "";

/** The latest answer; null before the first. @type {any} */
export let latest = null;

/** Tell `reader` each answer. @param {(status: any) => void} reader */
export const onStatus = (reader) => readers.push(reader);

/** What changes when there is something new to list. @param {any} status */
export const news = (status) => JSON.stringify([status.newest, status.counts, status.queue?.waiting]);

/** Ask for ever. */
export async function watchServer() {
  try {
    const answer = await api.status();
    if (failed) toast(t("server_back"));
    [latest, failed, wait] = [answer, "", EVERY];
    showLink();
    for (const reader of readers) reader(answer);
  } catch (error) {
    failed = error instanceof api.ApiError ? error.message : t("page_fault", { what: String(error) });
    wait = Math.min(2 * wait, LONGEST);
    showLink();
  }
  setTimeout(watchServer, document.hidden ? Math.max(wait, 3 * EVERY) : wait);
}

/** Say whether the server answers. */
export function showLink() {
  const gone = byId("gone");
  gone.hidden = !failed;
  gone.textContent = failed ? t("server_gone", { why: failed, seconds: Math.round(wait / 1000) }) : "";
  const waiting = latest?.queue?.waiting ?? 0;
  byId("link").className = failed ? "link off" : waiting ? "link works" : "link on";
  byId("link").textContent = failed ? t("link_off") : waiting ? t("link_waiting", { n: waiting }) : t("link_on");
}
