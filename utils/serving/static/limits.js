/** The classes, their colours, and from which score on each counts: the checkpoint's thresholds, or the user's. */

const OTHERS = ["#ff5930", "#23a0ff", "#ffd60a", "#00c993", "#de6ce0", "#2854de", "#ff9d1f", "#92eaff"];
const UNKNOWN_LIMIT = 0.25; // of a word that the user looks for, where no threshold is known
/** @type {Map<string, {colour: string, own: number}>} */
const classes = new Map();
/** @type {Map<string, number>} */
const moved = new Map();
let least = 0;

/** Take the classes of the checkpoint. @param {{name: string, threshold: number, colour: string}[]} given */
export function learnClasses(given) {
  for (const { name, threshold, colour } of given) classes.set(name, { colour, own: threshold });
}

/** Take the classes that only a picture has, of a user's words. @param {any} picture */
export function learnPicture({ labels = [], boxes }) {
  const said = new Map(labels.map((label) => [label.name, label.threshold]));
  for (const { class: name } of boxes) {
    if (classes.has(name)) continue;
    classes.set(name, { colour: OTHERS[classes.size % OTHERS.length], own: said.get(name) ?? UNKNOWN_LIMIT });
  }
}

export const classNames = () => [...classes.keys()];
export const colourOf = (name) => classes.get(name)?.colour ?? OTHERS[0];

/** From which score on a class counts; above 1: never. @param {string} name */
export const limitOf = (name) => Math.max(moved.get(name) ?? classes.get(name)?.own ?? UNKNOWN_LIMIT, least);

/** @param {string} name @param {number} value */
export function setLimit(name, value) {
  if (value === classes.get(name)?.own) moved.delete(name);
  else moved.set(name, value);
}

/** The score that a box of any class must have. @param {number} value */
export function setLeast(value) {
  least = value;
}

export const leastOf = () => least;

/** Back to the checkpoint's thresholds. */
export function resetLimits() {
  moved.clear();
  least = 0;
}

export const isMoved = () => moved.size > 0 || least > 0;

/** Whether a box counts as a defect. @param {{class: string, score: number}} box */
export const counts = (box) => box.score >= limitOf(box.class);
