/** New pictures: dropped, chosen, pasted, or from the folder that the server may look into. */

import * as api from "./api.js";
import { byId, element } from "./nodes.js";
import { latest } from "./status.js";
import { attempt, toast } from "./toast.js";
import { t } from "./words.js";

const SPARE = 0.98; // of the server's limit: parts have heads of their own
const AT_ONCE = 16; // pictures, so that the first are seen soon
const PAUSE = 400; // ms
const PICTURE = /\.(jpe?g|png|bmp|tiff?|webp|p[gpn]m|jp2)$/i;
/** @type {(id: string) => void} */
let arrived = () => {};
let place = "";

/** @param {(id: string) => void} onArrived told the first picture of those that were sent */
export function startIntake(onArrived) {
  arrived = onArrived;
  byId("choose").onclick = () => byId("files").click();
  byId("files").onchange = async ({ target }) => {
    const files = [...target.files];
    target.value = ""; // so that the same file can be chosen again
    await send(files);
  };
  const drop = byId("view-pictures");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => hover(event, true));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, (event) => hover(event, false));
  drop.addEventListener("drop", (event) => attempt(async () => send(await dropped(event.dataTransfer))));
  document.addEventListener(
    "paste",
    (event) => event.clipboardData?.files.length && send([...event.clipboardData.files]),
  );
  byId("folder").ontoggle = () => byId("folder").open && openFolder(place);
}

/** Show what the server offers. @param {any} status */
export function showIntake(status) {
  byId("folder").hidden = status.folder === null;
  byId("folder-name").textContent = status.folder ?? "";
  const isNew = status.open_vocabulary && byId("prompts-of-new").hidden;
  if (isNew && matchMedia("(min-width: 1000px)").matches) byId("wishes").open = true;
  byId("prompts-of-new").hidden = !status.open_vocabulary;
}

function hover(event, over) {
  event.preventDefault();
  byId("drop").classList.toggle("over", over);
}

/** The files that were dropped, and the pictures in folders that were. @param {DataTransfer} given */
async function dropped(given) {
  const entries = [...given.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...given.files];
  if (!entries.some((entry) => entry.isDirectory)) return files;
  const found = [];
  for (const entry of entries) await gather(entry, found);
  return found;
}

async function gather(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    if (PICTURE.test(file.name)) found.push(file);
    return;
  }
  const reader = entry.createReader();
  const some = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let inside = await some(); inside.length; inside = await some()) {
    for (const one of inside) await gather(one, found);
  }
}

/** What is asked of every new picture. */
function wishes() {
  const questions = byId("standing")
    .value.split("\n")
    .map((line) => line.trim());
  return { prompts: byId("prompts").value.trim(), questions: questions.filter(Boolean) };
}

/** @param {File[]} files */
async function send(files) {
  const most = latest?.limits ?? { bytes: 100 << 20, files: 100 };
  const large = files.filter((file) => file.size > most.bytes * SPARE);
  const refused = large.map((file) => ({
    name: file.name,
    reason: t("too_large", { mb: Math.floor(most.bytes / (1 << 20)) }),
  }));
  showRefused(refused);
  const fitting = files.filter((file) => !large.includes(file));
  const task = async () => {
    let [first, sent] = ["", 0];
    for (const part of parts(fitting, most)) {
      await room(part.length);
      const told = await api.upload(form(part));
      refused.push(...told.refused);
      showRefused(refused);
      if (!first && told.pictures.length) arrived((first = told.pictures[0].id));
      sent += part.length;
      if (fitting.length > AT_ONCE) toast(t("sent", { n: sent, all: fitting.length }));
    }
  };
  if (fitting.length) await attempt(task, byId("choose"));
}

/** Until so many more pictures may wait at the server. @param {number} wanted */
async function room(wanted) {
  for (;;) {
    const { queue } = await api.status();
    if (queue.waiting === 0 || queue.waiting + wanted <= queue.most) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function form(files) {
  const { prompts, questions } = wishes();
  const sent = new FormData();
  if (latest?.open_vocabulary && prompts) sent.append("prompts", prompts);
  if (questions.length) sent.append("questions", JSON.stringify(questions));
  for (const file of files) sent.append("files", file, file.name);
  return sent;
}

/** The files in portions that the server takes at once. */
function* parts(files, most) {
  let [part, bytes] = [[], 0];
  for (const file of files) {
    if (part.length && (part.length >= Math.min(most.files, AT_ONCE) || bytes + file.size > most.bytes * SPARE)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(file);
    bytes += file.size;
  }
  yield part;
}

function showRefused(refused) {
  const close = element("button", { type: "button", className: "plain", onclick: () => showRefused([]) }, t("close"));
  const rows = refused.map(({ name, reason }) => element("li", {}, element("b", {}, name), ` ${reason}`));
  const head = element("div", { className: "head" }, element("b", {}, t("refused", { n: refused.length })), close);
  byId("refused").replaceChildren(head, element("ul", {}, ...rows));
  byId("refused").hidden = refused.length === 0;
}

async function openFolder(path) {
  const told = await attempt(() => api.folder(path));
  if (!told) return;
  place = told.path;
  const inside = (name) => (place ? `${place}/${name}` : name);
  const line = (name, className, act) =>
    element("li", {}, element("button", { type: "button", className, title: name, onclick: act }, name));
  const rows = told.folders.map((name) => line(`${name}/`, "sub", () => openFolder(inside(name))));
  if (place) rows.unshift(line("../", "sub", () => openFolder(place.split("/").slice(0, -1).join("/"))));
  rows.push(...told.pictures.map((name) => line(name, "", ({ target }) => look([inside(name)], target))));
  const all = element("button", { type: "button", className: "wide" }, t("look_at_all", { n: told.pictures.length }));
  all.onclick = () => look(told.pictures.map(inside), all);
  all.hidden = told.pictures.length < 2;
  const more = element("p", { className: "soft", hidden: !told.more }, t("more_there", { n: told.more }));
  byId("folder-list").replaceChildren(
    element("small", { className: "soft" }, `/${place}`),
    all,
    element("ul", {}, ...rows),
    more,
  );
}

async function look(paths, button) {
  const refused = [];
  await attempt(async () => {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const part = paths.slice(at, at + AT_ONCE);
      await room(part.length);
      const told = await api.look({ paths: part, ...wishes() });
      refused.push(...told.refused);
      if (at === 0 && told.pictures.length) arrived(told.pictures[0].id);
      toast(t("sent", { n: at + part.length, all: paths.length }));
    }
  }, button);
  showRefused(refused);
}
