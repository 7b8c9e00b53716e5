/** The page: its views and their tabs, its keys, its language. */

import { History } from "./history.js";
import { learnClasses } from "./limits.js";
import { Line } from "./line.js";
import { byId, element, isTyping } from "./nodes.js";
import { Pictures } from "./pictures.js";
import { Review } from "./review.js";
import { latest, onStatus, showLink, watchServer } from "./status.js";
import { attempt, hideToast, toast } from "./toast.js";
import { startWords, switchLanguage, t } from "./words.js";

const VIEWS = ["pictures", "review", "line", "history"];
let shown = "pictures";
let views;

function keysOf() {
  return [
    ["← →", t("key_arrows")],
    ["+ − 0", t("key_zoom")],
    ["A", t("key_accept")],
    ["R", t("key_reject")],
    ["D", t("key_draw")],
    ["1 … 9", t("key_class")],
    ["Del", t("key_delete")],
    ["Z", t("key_undo")],
    ["Alt + ← → ↑ ↓", t("key_nudge")],
    ["Alt + Shift + ← → ↑ ↓", t("key_resize")],
    ["?", t("key_help")],
  ];
}

function help() {
  const rows = keysOf().flatMap(([keys, what]) => [
    element("dt", {}, element("kbd", {}, keys)),
    element("dd", {}, what),
  ]);
  byId("keys-list").replaceChildren(...rows);
  byId("keys").showModal();
}

/** Show a view. @param {string} name */
function show(name) {
  shown = VIEWS.includes(name) ? name : "pictures";
  for (const view of VIEWS) {
    byId(`view-${view}`).hidden = view !== shown;
    byId(`tab-${view}`).ariaSelected = String(view === shown);
    byId(`tab-${view}`).tabIndex = view === shown ? 0 : -1;
  }
  if (location.hash !== `#${shown}`) history.replaceState(null, "", `#${shown}`);
  views[shown].show(); // charts are as wide as they are seen
  if (shown === "history") views.history.refresh();
  if (latest) tell(latest);
}

function tell(status) {
  learnClasses(status.classes);
  byId("weights").textContent = status.weights;
  for (const view of ["pictures", "review", "line"]) attempt(() => views[view].onStatus(status, shown === view));
}

function onTabKey(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault(); // else the view took the arrow, too
  const open = VIEWS.filter((view) => !byId(`tab-${view}`).hidden);
  const next = open[(open.indexOf(shown) + by + open.length) % open.length];
  show(next);
  byId(`tab-${next}`).focus();
}

function onKey(event) {
  if (event.defaultPrevented || isTyping(event)) return;
  const viewer = views[shown].viewer;
  const zoom = {
    "+": () => viewer?.zoom(1.35),
    "=": () => viewer?.zoom(1.35),
    "-": () => viewer?.zoom(1 / 1.35),
    0: () => viewer?.fit(),
  };
  if (event.key === "?") help();
  else if (event.key === "Escape") hideToast();
  else if (zoom[event.key]) zoom[event.key]();
  if (views[shown].onKey?.(event)) event.preventDefault();
}

function render() {
  showLink();
  views.pictures.gallery.show();
  views.pictures.show();
  views.review.show();
  views.line.show();
  views.history.show();
}

async function start() {
  await startWords();
  const open = (id) => {
    show("pictures");
    views.pictures.open(id);
  };
  const correct = (id) => {
    views.review.picture = null;
    views.review.open(id);
    show("review");
  };
  views = { pictures: new Pictures(correct), review: new Review(), line: new Line(open), history: new History() };
  for (const view of VIEWS) byId(`tab-${view}`).onclick = () => show(view);
  for (const view of VIEWS) byId(`tab-${view}`).onkeydown = onTabKey;
  byId("help").onclick = help;
  byId("language").onclick = () => attempt(switchLanguage);
  document.addEventListener("language", render);
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => show(location.hash.slice(1)));
  addEventListener("resize", () => views[shown].show());
  addEventListener("unhandledrejection", (event) => toast(t("page_fault", { what: String(event.reason) }), "error"));
  onStatus(tell);
  show(location.hash.slice(1));
  await watchServer();
}

await attempt(start);
