/** The words of the page, in English and Chinese: one file for each, with the same keys. */

const LANGUAGES = { en: "en", zh: "zh-CN" };
const KEPT = "language";
let words = {};
let chosen = "en";

/** The language in use, as dates and numbers are told. */
export const locale = () => LANGUAGES[chosen];

/**
 * The words for a key, with `{name}` replaced by values.
 * @param {string} key @param {Object<string, unknown>} [values] @returns {string}
 */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A moment in words. @param {string} iso @param {Intl.DateTimeFormatOptions} [form] */
export function moment(iso, form = { dateStyle: "medium", timeStyle: "short" }) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : new Intl.DateTimeFormat(locale(), form).format(date);
}

/** A whole number in words. @param {number} value */
export const count = (value) => new Intl.NumberFormat(locale()).format(value ?? 0);

/** Load the user's language. */
export async function startWords() {
  const kept = stored();
  await speak(kept in LANGUAGES ? kept : navigator.language.startsWith("zh") ? "zh" : "en");
}

/** Change to the other language, which every view hears of by the event `language`. */
export async function switchLanguage() {
  await speak(chosen === "en" ? "zh" : "en");
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // forbidden by the browser: it is asked again next time
  }
  document.dispatchEvent(new Event("language"));
}

function stored() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

async function speak(language) {
  const answer = await fetch(`/static/${language}.json`);
  if (!answer.ok) throw new Error(`${language}.json: ${answer.status}`);
  words = await answer.json();
  chosen = language;
  document.documentElement.lang = locale();
  document.title = t("title");
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of document.querySelectorAll("[data-hint]")) node.placeholder = t(node.dataset.hint);
}
