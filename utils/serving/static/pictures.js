/** The view of pictures: one of them with its verdict, boxes that follow the sliders, heat maps and answers. */

import * as api from "./api.js";
import { Gallery } from "./gallery.js";
import { showIntake, startIntake } from "./intake.js";
import * as limits from "./limits.js";
import { byId, element, isTyping, refill } from "./nodes.js";
import { showAnswers, startQuestions } from "./questions.js";
import { boxRow, wordRow } from "./rows.js";
import { showSliders, startSliders } from "./sliders.js";
import { latest, news } from "./status.js";
import { attempt } from "./toast.js";
import { Viewer } from "./viewer.js";
import { count, t } from "./words.js";

const MOST_ROWS = 60;
const SIGNS = { OK: "✓", NG: "✕", UNREADABLE: "?" };

/**
 * Fill a large verdict; any other word than one: none yet.
 * @param {HTMLElement} node @param {string} verdict @param {string} why @param {string} about
 */
export function showVerdict(node, verdict, why, about) {
  const word = verdict === "UNREADABLE" ? t("unreadable") : verdict;
  for (const known of Object.keys(SIGNS)) node.classList.toggle(known.toLowerCase(), known === verdict);
  const sign = element("span", { className: "sign", ariaHidden: "true" }, SIGNS[verdict] ?? "…");
  const lines = element("span", { className: "two" }, element("span", {}, why), element("small", {}, about));
  const parts = SIGNS[verdict] ? [sign, element("strong", {}, word), lines] : [lines];
  node.replaceChildren(...parts);
}

export class Pictures {
  /** @param {(id: string) => void} onCorrect a picture that the user wants to correct */
  constructor(onCorrect) {
    this.picture = null;
    this.seen = ""; // what the status said when the list was loaded
    this.chosen = -1; // the number of a box
    this.evidence = [];
    this.viewer = new Viewer(byId("stage"), (mark) => this.#pick(this.marked?.[mark]?.number ?? -1));
    this.gallery = new Gallery((id) => this.open(id));
    startIntake((id) => this.open(id));
    startSliders(() => this.show());
    startQuestions((evidence) => {
      this.evidence = evidence;
      this.#pick(-1);
    });
    byId("faint").onchange = () => this.show();
    byId("correct").onclick = () => this.picture && onCorrect(this.picture.id);
    this.show();
  }

  /** @param {any} status */
  async onStatus(status) {
    showIntake(status);
    const names = limits.classNames().join();
    if (names !== this.names) {
      this.names = names;
      this.show();
      showAnswers(this.picture);
    }
    if (news(status) === this.seen) return;
    this.seen = news(status);
    if (!(await attempt(() => this.gallery.refresh().then(() => true)))) this.seen = "";
    const first = this.gallery.items[0];
    if (!this.picture && first && !this.wanted) await this.open(first.id);
    else if (this.picture?.state === "waiting") await this.open(this.picture.id);
  }

  /** Show a picture. @param {string} id */
  async open(id) {
    this.wanted = id;
    this.gallery.choose(id);
    const picture = await attempt(() => api.picture(id));
    if (!picture || this.wanted !== id) return;
    const isNew = this.picture?.id !== id || this.picture.state !== picture.state;
    this.picture = picture;
    limits.learnPicture(picture);
    if (isNew) {
      [this.chosen, this.evidence] = [-1, []];
      this.viewer.clear();
      this.#unheat();
      if (picture.state === "done") await this.viewer.show(api.imageOf(id), picture.size);
    }
    this.show();
    showAnswers(picture);
  }

  /** Draw everything but the list anew. */
  show() {
    const boxes = this.picture?.boxes ?? [];
    showSliders(boxes);
    const faint = byId("faint").checked;
    const evidence = this.evidence.map((box) => ({ ...box, shows: true }));
    this.marked = [...boxes.filter((box) => faint || limits.counts(box) || box.number === this.chosen), ...evidence];
    const marks = this.marked.map((box) => ({
      box: box.box,
      colour: limits.colourOf(box.class),
      text: this.heated ? "" : `${box.class} ${box.score?.toFixed(2) ?? ""}`,
      faint: !box.shows && !limits.counts(box),
      strong: box.shows || box.number === this.chosen,
    }));
    const shown = boxes.filter(limits.counts);
    const told = shown.map((box) => `${box.class} ${box.score.toFixed(2)}`).join(", ");
    this.viewer.setMarks(
      marks,
      this.picture ? t("canvas", { name: this.picture.name, boxes: told || t("nothing") }) : "",
    );
    this.#verdict(shown.length);
    this.#rows(boxes, faint);
    byId("stage").classList.toggle("empty", this.picture?.state !== "done");
    byId("correct").disabled = this.picture?.state !== "done";
    byId("heat-note").hidden = !latest?.explains || !shown.length;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const beside = by && !isTyping(event) && this.gallery.beside(by);
    if (beside) this.open(beside.id);
    return Boolean(beside);
  }

  #verdict(shown) {
    const picture = this.picture;
    if (!picture) return showVerdict(byId("verdict"), "", t("none_yet"), t("none_yet_more"));
    if (picture.state === "waiting") return showVerdict(byId("verdict"), "", t("waiting"), picture.name);
    const [height, width] = picture.size ?? [0, 0];
    const took = picture.milliseconds ? t("took", { ms: count(Math.round(picture.milliseconds)) }) : "";
    const about = [picture.name, width ? `${width}\u00a0×\u00a0${height}` : "", took].filter(Boolean).join(" · ");
    const own = picture.state !== "done" || !limits.isMoved();
    const verdict = own ? (picture.verdict ?? "UNREADABLE") : shown ? "NG" : "OK";
    return showVerdict(
      byId("verdict"),
      verdict,
      own ? picture.reason || picture.classes || t("nothing") : t("by_your_limits", { n: shown }),
      about,
    );
  }

  #rows(boxes, faint) {
    const listed = boxes.filter((box) => faint || limits.counts(box));
    const rows = listed.slice(0, MOST_ROWS).map((box) => {
      const score = element("b", {}, box.score.toFixed(2));
      const row = boxRow(box, score, box.number === this.chosen, () => this.#pick(box.number));
      row.classList.toggle("faint", !limits.counts(box));
      return row;
    });
    const left = listed.length - rows.length;
    if (left > 0) rows.push(wordRow(t("more_there", { n: left })));
    if (!rows.length && this.picture) rows.push(wordRow(t(boxes.length ? "only_faint" : "nothing")));
    refill(byId("boxes"), rows);
  }

  /** Choose a box, which shows why it is there; again, or elsewhere: none. */
  async #pick(number) {
    this.chosen = number === this.chosen ? -1 : number;
    this.#unheat();
    this.show();
    if (this.chosen < 0 || !latest?.explains) return;
    const [id, wanted] = [this.picture.id, this.chosen];
    const url = await attempt(() => this.#busy(api.heat(id, wanted)));
    const image = new Image();
    if (url) image.src = url;
    await image.decode().catch(() => null);
    if (!image.naturalWidth || this.picture.id !== id || this.chosen !== wanted) return url && URL.revokeObjectURL(url);
    this.heated = url;
    this.viewer.setHeat(image);
    return this.show();
  }

  async #busy(task) {
    byId("stage").classList.add("busy");
    try {
      return await task;
    } finally {
      byId("stage").classList.remove("busy");
    }
  }

  #unheat() {
    if (this.heated) URL.revokeObjectURL(this.heated);
    this.heated = "";
    this.viewer.setHeat(null);
  }
}
