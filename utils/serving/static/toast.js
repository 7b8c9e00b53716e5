/** One line that says what happened, and the way of every task: busy while it runs, its error told here. */

import { ApiError } from "./api.js";
import { byId } from "./nodes.js";
import { t } from "./words.js";

const SHOWN = 6000; // ms
let timer = 0;

/** Show a line for a while. @param {string} text @param {"error"|"done"} [kind] */
export function toast(text, kind = "done") {
  const node = byId("toast");
  node.textContent = text;
  node.className = `toast ${kind}`;
  node.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hideToast, kind === "error" ? 2 * SHOWN : SHOWN);
}

/** Take the line away. */
export function hideToast() {
  byId("toast").hidden = true;
}

/**
 * Run a task; `button` shows that it runs and cannot be pressed meanwhile. An error becomes a line, never more.
 * @template T @param {() => Promise<T>} task @param {HTMLButtonElement|null} [button] @returns {Promise<T|undefined>}
 */
export async function attempt(task, button = null) {
  if (button?.ariaBusy === "true") return undefined;
  const held = button !== null && document.activeElement === button;
  if (button) [button.disabled, button.ariaBusy] = [true, "true"];
  try {
    return await task();
  } catch (error) {
    toast(error instanceof ApiError ? error.message : t("page_fault", { what: String(error) }), "error");
    return undefined;
  } finally {
    if (button) [button.disabled, button.ariaBusy] = [false, "false"];
    if (held) button.focus({ preventScroll: true });
  }
}
