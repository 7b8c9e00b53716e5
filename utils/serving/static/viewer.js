/** A picture on a canvas, with boxes over it: fitted, zoomed by wheel, fingers and keys, moved by dragging. */

import { element } from "./nodes.js";
import { t } from "./words.js";

const CLICK = 5; // px that a finger may slip
const STEP = 1.35;
const STRIDE = 60; // screen px
const DEEPEST = 40; // screen px for a pixel of the picture

/** @typedef {{box: number[], colour: string, text: string, faint?: boolean, strong?: boolean}} Mark xyxy, picture px */
/** @typedef {{x: number, y: number, reach: number}} Point of the picture; `reach`: px of it that a pointer covers */

export class Viewer {
  /** @param {HTMLElement} host @param {(number: number) => void} onPick the number of a mark, -1 for none */
  constructor(host, onPick) {
    this.onPick = onPick;
    this.tool = null; // an Editor, which sees pointers first
    /** @type {Mark[]} */
    this.marks = [];
    this.image = null;
    this.heat = null;
    this.size = [1, 1];
    this.view = { scale: 1, x: 0, y: 0 };
    this.fitted = true;
    this.pointers = new Map();
    this.canvas = element("canvas", { className: "canvas", tabIndex: 0, role: "img" });
    host.append(this.canvas, this.#buttons());
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(host);
  }

  /** Show a picture of `size` [height, width] px once it is loaded. @returns {Promise<boolean>} whether it was */
  async show(url, size) {
    const image = new Image();
    image.src = url;
    this.wanted = image;
    await image.decode().catch(() => null);
    if (this.wanted !== image) return false; // another was asked for meanwhile
    [this.image, this.heat, this.size] = [image.naturalWidth ? image : null, null, size];
    this.fit();
    return this.image !== null;
  }

  /** Show no picture. */
  clear() {
    [this.wanted, this.image, this.heat, this.marks] = [null, null, null, []];
    this.draw();
  }

  /** @param {Mark[]} marks @param {string} label what is said of them to those who cannot see */
  setMarks(marks, label) {
    this.marks = marks;
    this.canvas.setAttribute("aria-label", label);
    this.draw();
  }

  /** Lay a map of the picture's size over it; null: none. @param {HTMLImageElement|null} heat */
  setHeat(heat) {
    this.heat = heat;
    this.draw();
  }

  fit() {
    const [height, width] = this.size;
    const [w, h] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const scale = Math.max(Math.min(w / width, h / height), 1e-6);
    this.view = { scale, x: (w - width * scale) / 2, y: (h - height * scale) / 2 };
    this.fitted = true;
    this.draw();
  }

  /** Zoom about a place of the canvas, its middle by default. */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const old = this.view.scale;
    const least = Math.min(this.canvas.clientWidth / this.size[1], this.canvas.clientHeight / this.size[0]);
    const scale = Math.min(Math.max(old * factor, least), Math.max(DEEPEST, least));
    if (scale <= least) return this.fit();
    this.view = { scale, x: x - (x - this.view.x) * (scale / old), y: y - (y - this.view.y) * (scale / old) };
    this.fitted = false;
    return this.draw();
  }

  /** @returns {Point} */
  toPicture(x, y, touch = false) {
    const { scale, x: left, y: top } = this.view;
    return { x: (x - left) / scale, y: (y - top) / scale, reach: (touch ? 22 : 8) / scale };
  }

  /** Draw anew before the next frame, however often it is asked for. */
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#paint();
    });
  }

  #paint() {
    const pen = this.#blank();
    this.canvas.style.touchAction = this.fitted && !this.tool ? "pan-y" : "none";
    if (!this.image) return;
    const { scale, x, y } = this.view;
    const [height, width] = this.size;
    pen.imageSmoothingEnabled = scale < 3;
    pen.drawImage(this.image, x, y, width * scale, height * scale);
    if (this.heat) pen.drawImage(this.heat, x, y, width * scale, height * scale);
    const order = [...this.marks].sort((a, b) => (a.strong ? 1 : 0) - (b.strong ? 1 : 0));
    for (const mark of order) this.#outline(pen, mark);
    this.#tags(pen, order.reverse());
    this.tool?.paint(pen, this.view);
  }

  #outline(pen, { box, colour, faint, strong }) {
    const { scale, x, y } = this.view;
    const place = [x + box[0] * scale, y + box[1] * scale, (box[2] - box[0]) * scale, (box[3] - box[1]) * scale];
    pen.setLineDash(faint ? [5, 4] : []);
    for (const [width, style] of [
      [strong ? 6 : 4, isLight(colour) ? "rgb(0 0 0 / 60%)" : "rgb(255 255 255 / 75%)"],
      [strong ? 3.5 : 2, colour],
    ]) {
      [pen.lineWidth, pen.strokeStyle] = [width, style];
      pen.strokeRect(...place);
    }
    pen.setLineDash([]);
  }

  /** The words of the boxes, those that find a free place. */
  #tags(pen, marks) {
    const { scale, x, y } = this.view;
    const taken = [];
    pen.font = "600 13px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (const { box, colour, text, faint, strong } of marks) {
      if (!text || (faint && !strong)) continue;
      const width = pen.measureText(text).width + 10;
      const left = Math.max(0, Math.min(x + box[0] * scale - 1, this.canvas.clientWidth - width));
      const above = y + box[1] * scale - 21;
      const top = above < 0 ? y + box[1] * scale + 1 : above;
      const hits = ([l, u, w]) => left < l + w && l < left + width && Math.abs(u - top) < 20;
      if (!strong && taken.some(hits)) continue;
      taken.push([left, top, width]);
      pen.fillStyle = colour;
      pen.fillRect(left, top, width, 20);
      pen.fillStyle = isLight(colour) ? "#000" : "#fff";
      pen.fillText(text, left + 5, top + 10.5);
    }
  }

  #buttons() {
    const button = (sign, label, act) =>
      element("button", { type: "button", "data-label": label, ariaLabel: t(label), onclick: act }, sign);
    return element(
      "div",
      { className: "zooms" },
      button("+", "zoom_in", () => this.zoom(STEP)),
      button("−", "zoom_out", () => this.zoom(1 / STEP)),
      button("⤢", "zoom_fit", () => this.fit()),
    );
  }

  /** An empty canvas with a pixel for each of the screen's. */
  #blank() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) =>
      Math.max(Math.round(side * ratio), 1),
    );
    if (this.canvas.width !== width || this.canvas.height !== height)
      [this.canvas.width, this.canvas.height] = [width, height];
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return pen;
  }

  #resize() {
    if (this.fitted) this.fit();
    else this.draw();
  }

  #listen() {
    const on = (kind, act) => this.canvas.addEventListener(kind, (event) => this.image && act.call(this, event));
    on("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(Math.min(event.deltaY, 120), -120) / 400), event.offsetX, event.offsetY);
    });
    on("keydown", this.#pushed);
    on("pointerdown", this.#down);
    on("pointermove", this.#move);
    on("pointerup", (event) => this.#up(event, true));
    on("pointercancel", (event) => this.#up(event, false));
  }

  /** Arrows move a picture that is larger than its place. */
  #pushed(event) {
    const by = { ArrowLeft: [STRIDE, 0], ArrowRight: [-STRIDE, 0], ArrowUp: [0, STRIDE], ArrowDown: [0, -STRIDE] }[
      event.key
    ];
    if (!by || this.fitted || event.altKey) return;
    event.preventDefault();
    this.#pan(...by);
  }

  #down(event) {
    if (event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    const point = this.toPicture(event.offsetX, event.offsetY, event.pointerType === "touch");
    if (this.pointers.size > 1) this.tool?.cancel();
    this.held = this.pointers.size === 1 && (this.tool?.down(point) ?? false);
    this.slipped = this.pointers.size > 1 ? Infinity : 0;
  }

  #move(event) {
    const point = this.toPicture(event.offsetX, event.offsetY, event.pointerType === "touch");
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.canvas.style.cursor = this.tool?.cursor(point) ?? (this.fitted ? "default" : "grab");
      return;
    }
    const now = { x: event.offsetX, y: event.offsetY };
    this.slipped += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.held) this.tool.move(point);
    else if (this.pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (!this.fitted) this.#pan(now.x - before.x, now.y - before.y);
    this.pointers.set(event.pointerId, now);
  }

  /** Move the picture, some of which stays to be seen. */
  #pan(x, y) {
    const { scale } = this.view;
    const kept = (to, side, place) => Math.min(Math.max(to, STRIDE - side * scale), place - STRIDE);
    const left = kept(this.view.x + x, this.size[1], this.canvas.clientWidth);
    const top = kept(this.view.y + y, this.size[0], this.canvas.clientHeight);
    this.view = { scale, x: left, y: top };
    this.draw();
  }

  #pinch(id, before, now) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const apart = (place) => Math.max(Math.hypot(place.x - other.x, place.y - other.y), 1);
    this.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  #up(event, whole) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.held) this.tool.up();
    else if (whole && this.slipped < CLICK) this.onPick(this.#at(this.toPicture(event.offsetX, event.offsetY)));
    this.held = false;
  }

  /** The smallest mark at a place, else -1: the large ones can be reached beside it. @param {Point} point */
  #at({ x, y, reach }) {
    const pad = reach / 2;
    const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    const inside = ([x1, y1, x2, y2]) => x > x1 - pad && x < x2 + pad && y > y1 - pad && y < y2 + pad;
    const hit = this.marks.filter((mark) => inside(mark.box)).sort((a, b) => area(a.box) - area(b.box))[0];
    return hit ? this.marks.indexOf(hit) : -1;
  }
}

function isLight(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 110;
}
