/** Questions about the picture that is shown, their answers, and the boxes that show it. */

import * as api from "./api.js";
import { byId, element, refill } from "./nodes.js";
import { classNames } from "./limits.js";
import { attempt } from "./toast.js";
import { t } from "./words.js";

let id = "";
/** @type {any[]} */
let answers = [];
let chosen = -1;
/** @type {(evidence: {class: string, box: number[]}[]) => void} */
let point = () => {};

/** @param {(evidence: {class: string, box: number[]}[]) => void} onPoint told what is to be shown on the picture */
export function startQuestions(onPoint) {
  point = onPoint;
  byId("ask").onsubmit = (event) => {
    event.preventDefault();
    send(byId("question").value.trim());
  };
}

/** Show the answers of another picture. @param {{id: string, state: string, answers: any[]}|null} picture */
export function showAnswers(picture) {
  const same = picture?.id === id;
  id = picture?.id ?? "";
  const told = picture?.answers ?? [];
  // the server keeps those that were asked by now; what it does not know yet stays
  answers = same && answers.length > told.length ? answers : [...told].reverse();
  if (!same) chosen = -1;
  for (const field of byId("ask").elements) field.disabled = picture?.state !== "done";
  render();
}

async function send(question) {
  const asked = id;
  if (!question || !asked) return;
  const answer = await attempt(() => api.ask(asked, question), byId("ask").querySelector("button"));
  if (!answer || asked !== id) return;
  byId("question").value = "";
  answers = [answer, ...answers];
  chosen = -1;
  choose(0);
}

function choose(number) {
  chosen = chosen === number ? -1 : number;
  render();
  point(answers[chosen]?.evidence ?? []);
}

function render() {
  const names = classNames();
  const examples = [t("example_any"), ...names.slice(0, 2).map((name) => t("example_count", { name }))];
  byId("examples").replaceChildren(
    ...examples.map((text) =>
      element("button", { type: "button", className: "plain", disabled: !id, onclick: () => send(text) }, text),
    ),
  );
  refill(byId("answers"), answers.map(row));
}

function row(answer, number) {
  const sure =
    answer.confidence === null || answer.confidence === undefined
      ? ""
      : ` · ${t("sure", { n: Math.round(100 * answer.confidence) })}`;
  const shown = answer.evidence?.length ? ` · ${t("evidence", { n: answer.evidence.length })}` : "";
  const button = element(
    "button",
    { type: "button", className: answer.refusal ? "refusal" : "", onclick: () => choose(number) },
    element("small", {}, answer.question),
    element("span", {}, answer.refusal || answer.sentence),
    element("small", {}, `${sure}${shown}`.slice(3)),
  );
  button.setAttribute("aria-pressed", String(number === chosen));
  return element("li", {}, button);
}
