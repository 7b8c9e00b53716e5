/** The view of reviews: pictures that teach most come first, are accepted, rejected or corrected, and exported. */

import * as api from "./api.js";
import { Editor } from "./editor.js";
import * as limits from "./limits.js";
import { breakable, byId, element, isTyping, refill, swatch } from "./nodes.js";
import { showVerdict } from "./pictures.js";
import { boxRow, lessonChip, pictureRow, reviewChip, reviewWord, wordRow } from "./rows.js";
import { news } from "./status.js";
import { attempt, toast } from "./toast.js";
import { Viewer } from "./viewer.js";
import { count, t } from "./words.js";
import { whyWords } from "./why.js";

const NUDGE = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BY = 4; // screen px

export class Review {
  constructor() {
    [this.picture, this.seen, this.reviewed] = [null, "", 0];
    /** @type {{id: string, name: string, teaches: number, why: string}[]} */
    this.queue = [];
    /** @type {{id: string, name: string, state: string}[]} of this session, the latest first */
    this.past = [];
    /** @type {{folder: string, pictures: number, boxes: number, command: string} | null} the last export */
    this.told = null;
    this.viewer = new Viewer(byId("review-stage"), (mark) => this.editor.choose(mark));
    this.editor = new Editor(this.viewer, () => this.show());
    const acts = {
      accept: () => this.#decide(this.editor.changed ? "corrected" : (this.#earlier() ?? "accepted")),
      reject: () => this.#decide("rejected"),
      previous: () => this.#step(-1),
      next: () => this.#step(1),
      draw: () => this.editor.setDrawing(!this.editor.drawing),
      remove: () => this.editor.remove(),
      undo: () => this.editor.undo(),
      "take-back": () => this.#takeBack(),
      export: () => this.#export(),
      copy: () => this.#copy(),
    };
    for (const [id, act] of Object.entries(acts)) byId(id).onclick = act;
    this.show();
  }

  /** @param {any} status @param {boolean} visible */
  async onStatus(status, visible) {
    if (news(status) === this.seen || !visible) return;
    this.seen = news(status);
    if (!(await this.refresh())) this.seen = "";
  }

  /** Ask for the queue, and begin with its first. @returns {Promise<boolean>} whether it came */
  async refresh() {
    const told = await attempt(() => api.queue());
    if (!told) return false;
    [this.queue, this.reviewed] = [told.pictures, told.reviewed];
    if (!this.wanted && this.queue.length) await this.open(this.queue[0].id);
    else this.show();
    return true;
  }

  /** Show a picture to be reviewed. @param {string} id */
  async open(id) {
    this.wanted = id;
    const picture = await attempt(() => api.picture(id));
    if (!picture || this.wanted !== id) return;
    limits.learnPicture(picture);
    if (this.picture?.id !== id) this.viewer.clear();
    this.picture = picture;
    const [boxes, names] = [picture.review?.boxes ?? picture.boxes.filter(limits.counts), limits.classNames()];
    this.viewer.size = picture.size ?? [1, 1];
    this.editor.load(boxes, boxes[0]?.class ?? names[0] ?? "");
    if (picture.state === "done") await this.viewer.show(api.imageOf(id), picture.size);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was one of this view */
  onKey(event) {
    if (isTyping(event)) return false;
    const by = NUDGE[event.key];
    if (event.altKey && by && this.editor.chosen >= 0) {
      this.editor.nudge(by[0] * BY, by[1] * BY, event.shiftKey);
      return true;
    }
    const keys = { a: "accept", r: "reject", z: "undo", d: "draw", Delete: "remove", Backspace: "remove" };
    const button = { ...keys, ArrowLeft: "previous", ArrowRight: "next" }[
      event.key.length > 1 ? event.key : event.key.toLowerCase()
    ];
    if (event.altKey) return false;
    if (button) byId(button).click();
    else if (/^[1-9]$/.test(event.key)) this.#classAt(Number(event.key) - 1);
    else if (event.key === "Escape") this.editor.choose(-1);
    else if (event.key === "Enter" && this.editor.drawing) this.editor.addInMiddle();
    else return false;
    return true;
  }

  /** Draw everything anew. */
  show() {
    if (!this.editor) return;
    const { boxes, chosen, drawing } = this.editor;
    const marks = boxes.map((box, number) => ({
      box: box.box,
      colour: limits.colourOf(box.class),
      text: box.score === undefined ? box.class : `${box.class} ${box.score.toFixed(2)}`,
      strong: number === chosen,
    }));
    this.viewer.setMarks(
      marks,
      t("canvas", { name: this.picture?.name ?? "", boxes: boxes.map((box) => box.class).join(", ") || t("nothing") }),
    );
    const ready = this.picture?.state === "done" && !this.deciding;
    for (const id of ["accept", "reject", "draw"]) byId(id).disabled = !ready;
    byId("remove").disabled = chosen < 0;
    byId("undo").disabled = this.editor.past.length === 0;
    byId("draw").setAttribute("aria-pressed", String(drawing));
    byId("review-stage").classList.toggle("drawing", drawing);
    byId("review-stage").classList.toggle("empty", !ready);
    byId("take-back").hidden = !this.picture?.review;
    this.#head();
    this.#lists();
    this.#side();
  }

  #head() {
    const [node, item] = [byId("review-head"), this.queue.find(({ id }) => id === this.picture?.id)];
    if (!this.picture) return showVerdict(node, "", t("queue_empty"), "");
    const said = this.picture.review
      ? reviewWord(this.picture.review.state)
      : item
        ? whyWords(item.why)
        : t("not_reviewed");
    const now = this.editor.changed ? t("changed") : t("as_found", { n: count(this.editor.boxes.length) });
    return showVerdict(node, "", said, `${this.picture.name} · ${now}`);
  }

  #lists() {
    const row = (item, mark, under) =>
      pictureRow(item, mark, under, item.id === this.picture?.id, () => this.open(item.id));
    const queue = this.queue.map((item) => row(item, lessonChip(item.teaches), whyWords(item.why)));
    const past = this.past.map((item) => row(item, reviewChip(item.state), reviewWord(item.state)));
    refill(byId("queue"), queue);
    refill(byId("past"), past);
    byId("no-queue").hidden = this.queue.length > 0;
    byId("past-title").hidden = this.past.length === 0;
    byId("reviewed-count").textContent = t("reviewed_count", { n: count(this.reviewed) });
    byId("export").disabled = this.reviewed === 0;
    this.#exported();
  }

  #side() {
    const { boxes, chosen, word } = this.editor;
    const current = boxes[chosen]?.class ?? word;
    const choices = limits.classNames().map((name, k) => {
      const key = k < 9 ? element("kbd", {}, String(k + 1)) : null;
      const button = element(
        "button",
        { type: "button", onclick: () => this.#classAt(k) },
        swatch(limits.colourOf(name)),
        element("span", { className: "name" }, name),
        key,
      );
      button.setAttribute("aria-pressed", String(name === current));
      return button;
    });
    refill(byId("review-classes"), choices);
    const rows = boxes.map((box, number) => {
      const [x1, y1, x2, y2] = box.box.map(Math.round);
      const size = element("small", {}, `${x2 - x1} × ${y2 - y1}`);
      return boxRow(box, size, number === chosen, () => this.editor.choose(number === chosen ? -1 : number));
    });
    if (!rows.length) rows.push(wordRow(t("no_defect_here")));
    refill(byId("review-boxes"), rows);
  }

  #classAt(number) {
    const name = limits.classNames()[number];
    if (name !== undefined) this.editor.setClass(name);
  }

  /** What was said of these boxes before; none are there: nothing is a defect. */
  #earlier() {
    return this.picture?.review?.state;
  }

  /** Send a review, then show the next picture; meanwhile further keys do nothing. */
  async #decide(state) {
    const { picture } = this;
    if (picture?.state !== "done" || this.deciding) return;
    const boxes = state === "rejected" ? [] : this.editor.boxes.map((box) => ({ class: box.class, box: box.box }));
    this.deciding = true;
    await attempt(
      async () => {
        this.reviewed = (await api.review(picture.id, { state, boxes })).reviewed;
        await this.open(this.#pass(picture, state));
      },
      byId(state === "rejected" ? "reject" : "accept"),
    );
    this.deciding = false;
    this.show();
  }

  /** Take a reviewed picture out of the queue; the one that comes next. */
  #pass({ id, name }, state) {
    const at = this.queue.findIndex((item) => item.id === id);
    this.past = [{ id, name, state }, ...this.past.filter((item) => item.id !== id)];
    this.queue = this.queue.filter((item) => item.id !== id);
    return this.queue[Math.min(Math.max(at, 0), this.queue.length - 1)]?.id ?? id;
  }

  async #step(by) {
    const way = [...this.past].reverse().concat(this.queue);
    const at = way.findIndex(({ id }) => id === this.picture?.id);
    const next = way[at < 0 ? this.past.length : at + by];
    if (next) await this.open(next.id);
  }

  async #takeBack() {
    const { id } = this.picture;
    if (!(await attempt(() => api.takeBack(id), byId("take-back")))) return;
    this.past = this.past.filter((item) => item.id !== id);
    await this.refresh();
    await this.open(id);
  }

  async #export() {
    this.told = (await attempt(() => api.exportReviews(), byId("export"))) ?? this.told;
    this.show();
  }

  #exported() {
    byId("exported").hidden = !this.told;
    if (!this.told) return;
    const what = t("exported", { pictures: count(this.told.pictures), boxes: count(this.told.boxes) });
    byId("exported-what").replaceChildren(what, element("code", {}, ...breakable(this.told.folder)));
    byId("command").replaceChildren(...breakable(this.told.command));
  }

  async #copy() {
    const command = byId("command");
    getSelection().selectAllChildren(command); // where copying is forbidden, Ctrl+C does it
    await navigator.clipboard?.writeText(command.textContent).then(
      () => toast(t("copied")),
      () => toast(t("copy_by_hand")),
    );
  }
}
