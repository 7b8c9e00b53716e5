/** Rows of lists: of pictures and of boxes, each a button. */

import { colourOf } from "./limits.js";
import { element, swatch } from "./nodes.js";
import { t } from "./words.js";

/** @param {string} verdict its class in the style sheet @param {string} word */
const chip = (verdict, word) => element("span", { className: `chip ${verdict}` }, word);

/** The verdict of a picture, or that there is none yet. @param {{state: string, verdict: string}} item */
export function verdictChip({ state, verdict }) {
  if (state === "waiting") return chip("waiting", "…");
  return verdict === "OK" || verdict === "NG" ? chip(verdict.toLowerCase(), verdict) : chip("unreadable", "?");
}

/** How much a picture teaches, 0..1. @param {number} value */
export function lessonChip(value) {
  const node = chip("lesson", String(Math.round(100 * value)));
  node.title = t("teaches", { n: Math.round(100 * value) });
  return node;
}

/** That a picture was reviewed. @param {string} state */
export const reviewChip = (state) => chip(state, "✓");

/** What a person said. @param {string|null} state */
export function reviewWord(state) {
  const known = { accepted: t("is_accepted"), rejected: t("is_rejected"), corrected: t("is_corrected") };
  return state ? (known[state] ?? state) : "";
}

/** A name that may be cut, and a line under it. @param {string} name @param {string} under */
export function twoLines(name, under) {
  const words = element("span", { className: "name", title: name }, name);
  return element("span", { className: "two" }, words, element("small", {}, under));
}

/**
 * A picture in a list.
 * @param {{id: string, name: string}} item @param {HTMLElement} mark @param {string} under @param {boolean} isShown
 * @param {() => void} act
 */
export function pictureRow({ id, name }, mark, under, isShown, act) {
  const button = element("button", { type: "button", onclick: act }, mark, twoLines(name, under));
  button.dataset.id = id;
  if (isShown) button.setAttribute("aria-current", "true");
  return element("li", {}, button);
}

/**
 * A box in a list.
 * @param {{class: string}} box @param {HTMLElement} detail @param {boolean} isChosen @param {() => void} act
 */
export function boxRow(box, detail, isChosen, act) {
  const name = element("span", { className: "name" }, box.class);
  const button = element("button", { type: "button", onclick: act }, swatch(colourOf(box.class)), name, detail);
  button.ariaPressed = String(isChosen);
  return element("li", {}, button);
}

/** A line that is no button. @param {string} text */
export const wordRow = (text) => element("li", { className: "soft" }, text);
