/** Elements of the page: made, found, emptied. Text is only ever set as text. */

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * A new element. Names of properties are set as such, others as attributes; strings among the children become text.
 * @param {string} tag @param {Object<string, unknown>} [given] @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
export function element(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A small square in the colour of a class. @param {string} colour */
export function swatch(colour) {
  const node = element("i", { className: "swatch", ariaHidden: "true" });
  node.style.setProperty("--colour", colour);
  return node;
}

/**
 * Other children for `host`. Where one of the old ones had the focus, its successor has it: the one of the same
 * `data-id`, else the one in its place.
 * @param {HTMLElement} host @param {HTMLElement[]} children
 */
export function refill(host, children) {
  const held = /** @type {HTMLElement|null} */ (document.activeElement);
  const place = [...host.children].findIndex((child) => child.contains(held));
  host.replaceChildren(...children);
  if (place < 0) return;
  const buttons = [...host.querySelectorAll("button")];
  const same = buttons.find((button) => held.dataset.id && button.dataset.id === held.dataset.id);
  (same ?? buttons[Math.min(place, buttons.length - 1)])?.focus({ preventScroll: true });
}

/** Paths and commands that may break after each part of a path, and nowhere else. @param {string} text */
export function breakable(text) {
  const words = text.split(" ").map((word) => {
    const parts = word.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]);
    return element("span", { className: "word" }, ...parts.slice(0, -1));
  });
  return words.flatMap((word) => [" ", word]).slice(1);
}

/** Whether keys go to a field just now, or a dialog is open. @param {KeyboardEvent} event */
export function isTyping(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const field = target.matches?.("input, textarea, select");
  return field || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]") !== null;
}
