/** The view of the line: the last part, how many were good, and the newest that were not. */

import * as api from "./api.js";
import { showChart } from "./chart.js";
import { byId, element } from "./nodes.js";
import { showVerdict } from "./pictures.js";
import { twoLines } from "./rows.js";
import { latest, news } from "./status.js";
import { attempt } from "./toast.js";
import { count, moment, t } from "./words.js";

const THUMBS = 12;

export class Line {
  /** @param {(id: string) => void} onOpen a picture that the user wants to see */
  constructor(onOpen) {
    [this.onOpen, this.seen, this.pictures, this.hours] = [onOpen, "", [], []];
    byId("full").onclick = () =>
      attempt(() => (document.fullscreenElement ? document.exitFullscreen() : byId("main").requestFullscreen()));
  }

  /** @param {any} status @param {boolean} visible */
  async onStatus(status, visible) {
    byId("tab-line").hidden = !status.line;
    if (!status.line || !visible) return;
    this.#counts(status);
    if (news(status) === this.seen) return;
    this.seen = news(status);
    const told = await attempt(() => Promise.all([api.pictures(), api.history()]));
    if (!told) return;
    this.pictures = told[0].pictures.filter((item) => item.source === "line");
    this.hours = told[1].hours;
    this.show();
  }

  /** Draw everything anew. */
  show() {
    if (latest?.line) this.#counts(latest);
    const last = this.pictures.find((item) => item.state !== "waiting");
    if (last) showVerdict(byId("line-last"), last.verdict ?? "UNREADABLE", last.name, last.classes);
    else showVerdict(byId("line-last"), "", t("no_part_yet"), "");
    const bad = this.pictures.filter((item) => item.verdict === "NG").slice(0, THUMBS);
    byId("no-ng").hidden = bad.length > 0;
    byId("line-ng").replaceChildren(...bad.map((item) => this.#thumb(item)));
    showChart(byId("line-chart"), this.hours);
  }

  #counts({ line }) {
    byId("line-what").textContent = t("line_since", { what: line.what, since: moment(line.since) });
    const { OK = 0, NG = 0, UNREADABLE = 0 } = line.counts;
    const share = OK + NG ? `${((100 * NG) / (OK + NG)).toFixed(1)} %` : "–";
    const tiles = [
      ["ok", "OK", count(OK)],
      ["ng", "NG", count(NG)],
      ["share", t("ng_share"), share],
      ["unreadable", t("unreadable"), count(UNREADABLE)],
      [line.late ? "warn" : "", t("late"), count(line.late)],
      ["", t("waiting_parts"), count(line.waiting)],
      [line.dropped ? "warn" : "", t("dropped"), count(line.dropped)],
    ];
    const tile = ([kind, word, value]) =>
      element("div", { className: `tile ${kind}` }, element("b", {}, value), element("span", {}, word));
    byId("line-counts").replaceChildren(...tiles.map(tile));
  }

  #thumb(item) {
    const image = element("img", { src: api.imageOf(item.id), alt: "", loading: "lazy", decoding: "async" });
    return element(
      "button",
      { type: "button", onclick: () => this.onOpen(item.id) },
      image,
      twoLines(item.name, item.classes),
    );
  }
}
