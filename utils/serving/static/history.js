/** The view of what was done before: runs with their counts and reports, and the hours of this session. */

import * as api from "./api.js";
import { showChart } from "./chart.js";
import { byId, element } from "./nodes.js";
import { attempt } from "./toast.js";
import { count, moment, t } from "./words.js";

export class History {
  constructor() {
    [this.runs, this.hours] = [[], []];
  }

  /** Ask for the runs. */
  async refresh() {
    const told = await attempt(() => api.history());
    if (!told) return;
    [this.runs, this.hours] = [told.runs, told.hours];
    this.show();
  }

  /** Draw everything anew. */
  show() {
    showChart(byId("history-chart"), this.hours);
    byId("no-runs").hidden = this.runs.length > 0;
    byId("runs").parentElement.hidden = this.runs.length === 0;
    const titles = [t("run"), t("when"), t("pictures"), "OK", "NG", t("unreadable"), t("report")];
    const head = element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)));
    const body = element("tbody", {}, ...this.runs.map(row));
    byId("runs").replaceChildren(...(this.runs.length ? [element("thead", {}, head), body] : []));
  }
}

function row(run) {
  const kinds = { detect: t("kind_detect"), val: t("kind_val"), train: t("kind_train"), line: t("kind_line") };
  const name = element("th", { scope: "row" }, run.name, element("small", {}, kinds[run.kind] ?? run.kind));
  const numbers = [run.pictures, run.OK, run.NG, run.unreadable];
  const cells = numbers.map((value) =>
    element("td", { className: "number" }, Number.isInteger(value) ? count(value) : "–"),
  );
  return element("tr", {}, name, element("td", {}, moment(run.when)), ...cells, element("td", {}, report(run.report)));
}

/** A link to a report of this server, and to nothing else. */
function report(place) {
  if (typeof place !== "string" || !/^\/runs\/[^/]/.test(place)) return "–";
  return element("a", { href: place, target: "_blank", rel: "noopener" }, t("open"));
}
