/** A slider for the threshold of each class: verdict and boxes follow while it moves. */

import { byId, element, swatch } from "./nodes.js";
import * as limits from "./limits.js";
import { t } from "./words.js";

/** @type {() => void} */
let changed = () => {};
let shown = "";

/** @param {() => void} onChange after each move */
export function startSliders(onChange) {
  changed = onChange;
  byId("reset").onclick = () => {
    limits.resetLimits();
    shown = "";
    changed();
  };
}

/** Show the sliders, and how many of `boxes` pass each. @param {{class: string, score: number}[]} boxes */
export function showSliders(boxes) {
  const names = limits.classNames();
  const rows = names.length > 1 ? [null, ...names] : names;
  if (shown !== JSON.stringify([rows, t("all_classes")])) {
    shown = JSON.stringify([rows, t("all_classes")]);
    byId("sliders").replaceChildren(...rows.map(row));
  }
  for (const node of byId("sliders").children) {
    const name = node.dataset.class ?? null;
    const its = name === null ? boxes : boxes.filter((box) => box.class === name);
    const from = name === null ? limits.leastOf() : limits.limitOf(name);
    const said = from > 1 ? t("never") : from.toFixed(2);
    node.querySelector("output").textContent = said;
    node.querySelector("small").textContent = its.length
      ? t("pass", { n: its.filter(limits.counts).length, all: its.length })
      : "";
    node.querySelector("input").ariaValueText = said;
  }
  byId("reset").disabled = !limits.isMoved();
}

/** @param {string|null} name a class; null: all of them at once */
function row(name) {
  const own = name === null ? limits.leastOf() : limits.limitOf(name);
  const input = element("input", { type: "range", min: "0", max: "1", step: "0.01", value: String(Math.min(own, 1)) });
  input.oninput = () => {
    if (name === null) limits.setLeast(Number(input.value));
    else limits.setLimit(name, Number(input.value));
    changed();
  };
  const words = element("span", { className: "name", textContent: name ?? t("all_classes") });
  const head = element("span", { className: "of" }, name === null ? null : swatch(limits.colourOf(name)), words);
  const node = element("label", { className: "slider" }, head, element("small"), element("output"), input);
  if (name !== null) node.dataset.class = name;
  return node;
}
