import { isErrorCode } from "../debug/masked.js";
import { toldRequest } from "../debug/told-request.js";
import { parseServerError } from "./error-answer.js";
import type { HttpAnswer, HttpRequest } from "./http-message.js";
import type { NetworkFailure } from "./network-failure.js";
import { headerOf } from "./request-secrets.js";

type Outcome = HttpAnswer | NetworkFailure;

/** Sends a request, and tells of it and its answer, or why none came. */
export async function observed(request: HttpRequest, exchange: () => Promise<Outcome>): Promise<Outcome> {
  const { what, url, form, body, headers } = request;
  const method = request.method ?? (form || body !== undefined ? "POST" : "GET");
  const authorization = headerOf(headers, "authorization");
  return toldRequest({ what, method, url, form, authorization }, exchange, (outcome) => {
    if ("error" in outcome) return { error: outcome.error.code, reason: outcome.error.message };
    const { status, json, text, contentType } = outcome;
    const { error = "" } = parseServerError(json, text);
    return { status, contentType, ...(isErrorCode(error) && { error }) };
  });
}
