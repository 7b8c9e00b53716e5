/** Why a picture teaches, which the server says in English, in the language of the page. */

import { t } from "./words.js";

/** @type {[RegExp, (found: string[]) => string][]} */
const FORMS = [
  [/^(.+), near its threshold ([\d.]+)$/, ([, what, limit]) => t("why_near", { what, limit })],
  [/^(.+), far from its threshold ([\d.]+)$/, ([, what, limit]) => t("why_far", { what, limit })],
  [/^(.+ [\d.]+) and (.+ [\d.]+) on one place$/, ([, one, two]) => t("why_two", { one, two })],
  [/^(\d+) faint boxes below their thresholds$/, ([, n]) => t("why_faint", { n })],
  [/^nothing was found, however faint$/, () => t("why_nothing")],
];

/** @param {string} why @returns {string} what is in no known form stays as it is */
export function whyWords(why) {
  for (const [form, words] of FORMS) {
    const found = form.exec(why);
    if (found) return words(found);
  }
  return why;
}
