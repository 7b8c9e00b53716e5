/** The list of the newest pictures with their verdicts. */

import * as api from "./api.js";
import { byId, refill } from "./nodes.js";
import { pictureRow, reviewWord, verdictChip } from "./rows.js";
import { attempt } from "./toast.js";

/** @typedef {{id: string, name: string, state: string, verdict: string, classes: string, review: string|null}} Item */

export class Gallery {
  /** @param {(id: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    /** @type {Item[]} */
    this.items = [];
    this.chosen = "";
    this.whole = true; // whether there are no older ones
    byId("more").onclick = () => attempt(() => this.#older(), byId("more"));
  }

  /** Ask for the newest; older ones that were loaded stay. */
  async refresh() {
    const { pictures } = await api.pictures();
    const known = new Set(pictures.map((item) => item.id));
    const older = this.items.filter((item) => !known.has(item.id));
    const joined = pictures.length === 50 && older.length < this.items.length; // else there is a gap between them
    if (!joined) this.whole = pictures.length < 50;
    this.items = joined ? [...pictures, ...older] : pictures;
    this.show();
  }

  /** @param {string} id */
  choose(id) {
    this.chosen = id;
    this.show();
    byId("pictures").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** The picture so many places further down, if there is one. @param {number} by @returns {Item|undefined} */
  beside(by) {
    return this.items[this.items.findIndex((item) => item.id === this.chosen) + by];
  }

  /** Draw the list anew. */
  show() {
    refill(
      byId("pictures"),
      this.items.map((item) => this.#row(item)),
    );
    byId("no-pictures").hidden = this.items.length > 0;
    byId("more").hidden = this.whole;
  }

  async #older() {
    const { pictures } = await api.pictures(this.items.at(-1)?.id);
    this.items = [...this.items, ...pictures];
    this.whole = pictures.length < 50;
    this.show();
  }

  #row(item) {
    const under = [reviewWord(item.review), item.classes].filter(Boolean).join(" · ");
    return pictureRow(item, verdictChip(item), under, item.id === this.chosen, () => this.onChoose(item.id));
  }
}
