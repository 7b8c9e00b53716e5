/** Boxes that a person moves, resizes, draws and removes on a Viewer. */

const HANDLE = 5; // px, half of a side
const LEAST = 2; // px of the picture, the smallest side
const KEPT = 100; // steps that can be undone

/** @typedef {{class: string, box: number[], score?: number}} Box xyxy, px of the picture */

export class Editor {
  /** @param {import("./viewer.js").Viewer} viewer @param {() => void} onChange after each change, also of the choice */
  constructor(viewer, onChange) {
    [this.viewer, this.onChange] = [viewer, onChange];
    viewer.tool = this;
    this.load([], "");
  }

  /** Begin anew. @param {Box[]} boxes @param {string} word the class of boxes that are drawn */
  load(boxes, word) {
    this.boxes = boxes.map((box) => ({ ...box, box: [...box.box] }));
    this.word = word;
    this.first = JSON.stringify(this.boxes);
    [this.past, this.chosen, this.drawing, this.grip] = [[], -1, false, null];
    this.onChange();
  }

  /** Whether the boxes are others than at first. */
  get changed() {
    return JSON.stringify(this.boxes) !== this.first;
  }

  choose(number) {
    this.chosen = number;
    this.onChange();
  }

  setDrawing(on) {
    this.drawing = on;
    if (on) this.chosen = -1;
    this.onChange();
  }

  /** Of the chosen box, and of those drawn from now on. */
  setClass(word) {
    this.word = word;
    const box = this.boxes[this.chosen];
    if (box && box.class !== word) {
      this.#keep();
      delete box.score; // it was another class's
      box.class = word;
    }
    this.onChange();
  }

  remove() {
    if (this.chosen < 0) return;
    this.#keep();
    this.boxes.splice(this.chosen, 1);
    this.choose(-1);
  }

  undo() {
    const before = this.past.pop();
    if (before === undefined) return;
    this.boxes = JSON.parse(before);
    this.choose(-1);
  }

  /** A box in the middle of what is seen, for those who draw by keys. */
  addInMiddle() {
    const { canvas } = this.viewer;
    const from = this.viewer.toPicture(canvas.clientWidth * 0.4, canvas.clientHeight * 0.4);
    const to = this.viewer.toPicture(canvas.clientWidth * 0.6, canvas.clientHeight * 0.6);
    this.#keep();
    this.boxes.push({ class: this.word, box: this.#inside([from.x, from.y, to.x, to.y]) });
    this.drawing = false;
    this.choose(this.boxes.length - 1);
  }

  /** Move the chosen box, or with `size` its lower right corner, by screen px. */
  nudge(x, y, size) {
    const box = this.boxes[this.chosen];
    if (!box) return;
    const by = [x, y].map((value) => value / this.viewer.view.scale);
    this.#keep();
    box.box = size
      ? this.#inside(box.box.map((edge, k) => (k > 1 ? edge + by[k - 2] : edge)))
      : this.#moved(box.box, ...by);
    this.onChange();
  }

  // ---- pointers, told by the viewer ----

  /** @param {import("./viewer.js").Point} point @returns {boolean} whether the pointer is the editor's */
  down(point) {
    const handle = this.#handle(point);
    if (handle) this.grip = { kind: "size", ...handle, from: point };
    else if (this.drawing) this.grip = { kind: "draw", from: point };
    else if (this.#holds(this.boxes[this.chosen], point)) this.grip = { kind: "move", from: point };
    else return false;
    this.grip.before = JSON.stringify(this.boxes);
    this.grip.start = [...(this.boxes[this.chosen]?.box ?? [])];
    return true;
  }

  move(point) {
    const { kind, from, start, edges } = this.grip;
    const by = [point.x - from.x, point.y - from.y];
    if (kind === "draw") this.#stretch(from, point);
    else if (kind === "move") this.boxes[this.chosen].box = this.#moved(start, ...by);
    else
      this.boxes[this.chosen].box = this.#inside(start.map((edge, k) => (edges.includes(k) ? edge + by[k % 2] : edge)));
    this.onChange();
  }

  up() {
    const { kind, before } = this.grip;
    this.grip = null;
    if (JSON.stringify(this.boxes) !== before) this.#keep(before);
    if (kind === "draw" && this.chosen >= 0) this.drawing = false;
    this.onChange();
  }

  /** A second finger came: what the first began is undone. */
  cancel() {
    if (!this.grip) return;
    this.boxes = JSON.parse(this.grip.before);
    this.grip = null;
    this.choose(Math.min(this.chosen, this.boxes.length - 1));
  }

  cursor(point) {
    if (this.#handle(point)) return "nwse-resize";
    if (this.drawing) return "crosshair";
    return this.#holds(this.boxes[this.chosen], point) ? "move" : "default";
  }

  paint(pen, { scale, x, y }) {
    const box = this.boxes[this.chosen];
    if (!box) return;
    [pen.fillStyle, pen.strokeStyle, pen.lineWidth] = ["#fff", "#111", 1.5];
    for (const { at } of handles(box.box)) {
      const place = [x + at[0] * scale - HANDLE, y + at[1] * scale - HANDLE, 2 * HANDLE, 2 * HANDLE];
      pen.fillRect(...place);
      pen.strokeRect(...place);
    }
  }

  #stretch(from, to) {
    if (this.chosen < 0) {
      if (Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) < from.reach / 2) return; // a slip
      this.boxes.push({ class: this.word, box: [] });
      this.chosen = this.boxes.length - 1;
    }
    this.boxes[this.chosen].box = this.#inside([from.x, from.y, to.x, to.y]);
  }

  #keep(state = JSON.stringify(this.boxes)) {
    this.past = [...this.past, state].slice(-KEPT);
  }

  #handle(point) {
    const box = this.boxes[this.chosen];
    if (!box || this.drawing) return null;
    const near = ({ at }) => Math.hypot(at[0] - point.x, at[1] - point.y);
    const best = handles(box.box).sort((a, b) => near(a) - near(b))[0];
    return near(best) <= point.reach ? best : null;
  }

  #holds(box, { x, y }) {
    return Boolean(box && x >= box.box[0] && x <= box.box[2] && y >= box.box[1] && y <= box.box[3]);
  }

  /** In order, inside the picture and not too small. */
  #inside([x1, y1, x2, y2]) {
    const [height, width] = this.viewer.size;
    const side = (a, b, end) => {
      const least = Math.min(LEAST, end);
      const low = Math.min(Math.max(Math.min(a, b), 0), end - least);
      return [low, Math.min(Math.max(a, b, low + least), end)];
    };
    const [[left, right], [top, bottom]] = [side(x1, x2, width), side(y1, y2, height)];
    return [left, top, right, bottom];
  }

  #moved([x1, y1, x2, y2], x, y) {
    const [height, width] = this.viewer.size;
    const across = Math.min(Math.max(x, -x1), width - x2);
    const down = Math.min(Math.max(y, -y1), height - y2);
    return [x1 + across, y1 + down, x2 + across, y2 + down];
  }
}

/** Corners and middles of the sides, each with the edges that it moves. */
function handles([x1, y1, x2, y2]) {
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  return [
    { at: [x1, y1], edges: [0, 1] },
    { at: [x2, y1], edges: [2, 1] },
    { at: [x2, y2], edges: [2, 3] },
    { at: [x1, y2], edges: [0, 3] },
    { at: [x, y1], edges: [1] },
    { at: [x2, y], edges: [2] },
    { at: [x, y2], edges: [3] },
    { at: [x1, y], edges: [0] },
  ];
}
