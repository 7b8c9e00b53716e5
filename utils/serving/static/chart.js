/** Verdicts by hour, as bars. */

import { element } from "./nodes.js";
import { count, moment, t } from "./words.js";

const SPACE = "http://www.w3.org/2000/svg";
const [HEIGHT, LEFT, BOTTOM, TOP] = [220, 44, 26, 10];
const KINDS = ["OK", "NG", "UNREADABLE"];
const MOST_HOURS = 24;

/** Draw `hours`, the latest 24. @param {HTMLElement} host @param {Object<string, any>[]} hours */
export function showChart(host, hours) {
  const told = hours.slice(-MOST_HOURS);
  if (!told.length) return host.replaceChildren(element("p", { className: "soft" }, t("no_hours")));
  const width = Math.max(host.clientWidth, 280);
  const sum = (hour) => KINDS.reduce((all, kind) => all + (hour[kind] ?? 0), 0);
  const top = round(Math.max(...told.map(sum), 1));
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const words = t("chart", { n: told.length, ng: count(told.reduce((all, hour) => all + hour.NG, 0)) });
  const chart = shape("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    width,
    height: HEIGHT,
    role: "img",
    "aria-label": words,
  });
  for (const value of [0, top / 2, top]) {
    chart.append(shape("line", { x1: LEFT, x2: width, y1: y(value), y2: y(value), class: "grid" }));
    if (Number.isInteger(value)) chart.append(label(LEFT - 8, y(value) + 4, count(value), "end"));
  }
  const step = Math.min((width - LEFT) / told.length, 90);
  const every = Math.ceil(48 / step);
  told.forEach((hour, k) => {
    const x = LEFT + k * step;
    chart.append(bars(hour, x + step * 0.15, step * 0.7, y));
    if (k % every === 0)
      chart.append(label(x + step / 2, HEIGHT - 8, moment(hour.hour, { hour: "2-digit", minute: "2-digit" })));
  });
  return host.replaceChildren(chart, legend());
}

function bars(hour, x, width, y) {
  const group = shape("g", {});
  let below = 0;
  for (const kind of KINDS) {
    const value = hour[kind] ?? 0;
    if (!value) continue;
    group.append(
      shape("rect", { x, width, y: y(below + value), height: y(below) - y(below + value), class: kind.toLowerCase() }),
    );
    below += value;
  }
  const title = shape("title", {});
  const each = KINDS.map((kind) => `${kind === "UNREADABLE" ? t("unreadable") : kind} ${count(hour[kind])}`);
  title.textContent = `${moment(hour.hour)}: ${each.join(", ")}`;
  group.append(title);
  return group;
}

function legend() {
  const words = { OK: "OK", NG: "NG", UNREADABLE: t("unreadable") };
  const keys = KINDS.map((kind) =>
    element("span", { className: `key ${kind.toLowerCase()}` }, element("i", {}), words[kind]),
  );
  return element("p", { className: "legend soft", ariaHidden: "true" }, ...keys);
}

/** The next number that reads well: 1, 2, 4, 10 times a power of ten. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 10].map((times) => times * power).find((limit) => limit >= value);
}

function label(x, y, text, anchor = "middle") {
  const node = shape("text", { x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}

function shape(tag, given) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(given)) node.setAttribute(name, String(value));
  return node;
}
