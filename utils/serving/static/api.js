/** The server's interface: one function for each thing that it does. All raise ApiError. */

import { t } from "./words.js";

const PATIENCE = { GET: 20_000, other: 600_000 }; // ms; uploads over a slow line take their time

/** What went wrong, on one line; `status` 0: no answer at all. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {{method?: string, json?: unknown, form?: FormData, patience?: number}} [how] */
async function call(path, { method = "GET", json, form, patience } = {}) {
  const headers = method === "GET" ? {} : { "X-Requested-By": "page" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
  const signal = AbortSignal.timeout(patience ?? PATIENCE[method] ?? PATIENCE.other);
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, signal, credentials: "same-origin" });
  } catch {
    throw new ApiError(t("no_answer"), 0);
  }
  if (answer.ok) return answer;
  throw new ApiError(await reason(answer), answer.status);
}

async function reason(answer) {
  try {
    const said = (await answer.json()).error;
    if (typeof said === "string" && said) return said;
  } catch {
    // not ours: a proxy's page
  }
  return t("server_said", { status: answer.status });
}

async function json(path, how) {
  const answer = await call(path, how);
  try {
    return await answer.json();
  } catch {
    throw new ApiError(t("no_answer"), 0);
  }
}

const of = (id) => `/api/pictures/${encodeURIComponent(id)}`;

export const status = () => json("/api/status", { patience: 8000 });
export const pictures = (before) =>
  json(`/api/pictures?limit=50${before ? `&before=${encodeURIComponent(before)}` : ""}`);
export const picture = (id) => json(of(id));
export const imageOf = (id) => `${of(id)}/image`;
export const folder = (path) => json(`/api/folder?path=${encodeURIComponent(path)}`);
export const queue = () => json("/api/review?limit=50");
export const history = () => json("/api/history?limit=50");
export const upload = (form) => json("/api/pictures", { method: "POST", form });
export const look = (wanted) => json("/api/folder/look", { method: "POST", json: wanted });
export const ask = (id, question) => json(`${of(id)}/ask`, { method: "POST", json: { question } });
export const review = (id, said) => json(`${of(id)}/review`, { method: "PUT", json: said });
export const takeBack = (id) => call(`${of(id)}/review`, { method: "DELETE" });
export const exportReviews = () => json("/api/review/export", { method: "POST", json: {} });

/** The heat map of a box, to be freed with URL.revokeObjectURL. @param {string} id @param {number} number */
export async function heat(id, number) {
  const answer = await call(`${of(id)}/heat?box=${number}`, { patience: 120_000 });
  return URL.createObjectURL(await answer.blob());
}
