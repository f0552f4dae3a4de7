import { untilAborted } from "../abort.js";
import type { Context } from "../context.js";
import { isObserved } from "../debug/channel.js";
import { AuthError, type AuthErrorDetails, cancelled } from "../errors.js";
import { isDeep } from "../jwt.js";
import { pauseBeforeRetry, type Trouble } from "../retry.js";
import { measureSkew } from "./clock-skew.js";
import { type HttpAnswer, type HttpRequest, mayBeDone, name } from "./http-message.js";
import { type NetworkFailure, networkFailure, requestTimedOut } from "./network-failure.js";

/** An answer longer than this (bytes) is no answer of an auth server. */
const MAX_BODY_BYTES = 1024 * 1024;
/** What servers, and what stands in front of them, say when they may answer in a moment. */
const BUSY = new Set([429, 502, 503, 504]);

/**
 * The one place that sends requests. Follows no redirect, as one on a POST would carry a secret elsewhere. What spends
 * nothing is sent up to three times where the trouble may pass: the connection fails, or the server is busy. A server
 * that takes too long is not asked again: that has cost the caller enough.
 *
 * @throws AuthError `network_error`; `invalid_response` for an answer that is too long; what `cancelled()` says where
 *   the signal was aborted. Of a request that spends something, with `unprocessed` where it surely never reached the
 *   server, and `answerLost` where it may have been processed.
 */
export async function send(request: HttpRequest, context: Context): Promise<HttpAnswer> {
  for (let failures = 1; ; failures++) {
    const outcome = await told(request, () => sendOnce(request, context));
    const trouble = request.spends ? undefined : passingTrouble(request, outcome);
    const again =
      trouble && (await pauseBeforeRetry(name(request), failures, trouble, context, request.signal));
    if (again) continue;
    if ("error" in outcome) throw outcome.error;
    return outcome;
  }
}

type Outcome = HttpAnswer | NetworkFailure;

/** Sends it, and tells of it where somebody listens. */
async function told(request: HttpRequest, exchange: () => Promise<Outcome>): Promise<Outcome> {
  if (!isObserved()) return exchange();
  const { observed } = await import("./observed-request.js");
  return observed(request, exchange);
}

function passingTrouble(request: HttpRequest, outcome: Outcome): Trouble | undefined {
  if ("error" in outcome) return outcome.passing ? { reason: outcome.error.message } : undefined;
  const { status, retryAfter } = outcome;
  if (!BUSY.has(status) || request.isMeant?.(outcome)) return undefined;
  return { reason: `The ${name(request)} answered ${status}.`, retryAfter };
}

async function sendOnce(request: HttpRequest, context: Context): Promise<Outcome> {
  const { url, form, signal } = request;
  const body = form ? new URLSearchParams(form).toString() : (request.body ?? null);
  const headers = headersOf(request);
  if (!headers.has("accept")) headers.set("accept", "application/json");
  if (form) headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
  if (signal?.aborted) throw cancelled(signal);
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(), context.requestTimeoutMs);
  try {
    const asked = context.now();
    const answering = context.fetch(url, {
      method: request.method ?? (body === null ? "GET" : "POST"),
      headers,
      body,
      redirect: "manual",
      credentials: "omit",
      signal: stop.signal,
    });
    // A caller's own `fetch` may not heed the signal.
    const answer = await untilAborted(answering, stop.signal);
    measureSkew(url, answer.headers, asked, context);
    if (request.headersOnly) await answer.body?.cancel();
    const text = request.headersOnly ? "" : await readBody(answer, request, stop.signal);
    return {
      status: answer.status,
      text,
      json: parseJson(text, request, answer),
      headers: answer.headers,
      contentType: answer.headers.get("content-type") ?? "",
      location: answer.headers.get("location"),
      retryAfter: parseRetryAfter(answer.headers.get("retry-after"), context.now()),
    };
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (stop.signal.aborted) {
      return { error: requestTimedOut(request, context.requestTimeoutMs), passing: false };
    }
    if (error instanceof AuthError) return { error, passing: false };
    return networkFailure(request, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What cannot be sent is not quoted, as the platform does: it is mostly a token. */
function headersOf(request: HttpRequest): Headers {
  try {
    return new Headers(request.headers);
  } catch {
    throw new AuthError(
      "invalid_config",
      `The ${name(request)} cannot be asked: no header can carry the token.`,
    );
  }
}

async function readBody(answer: Response, request: HttpRequest, signal: AbortSignal): Promise<string> {
  if (!answer.body) return "";
  const reader = answer.body.getReader();
  // Closes the connection. Not every runtime ends a body that is being read when its request is aborted.
  const leave = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", leave, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) {
        throw new AuthError(
          "invalid_response",
          `The ${name(request)} sent more than ${MAX_BODY_BYTES} bytes.`,
          unusable(request, answer),
        );
      }
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
}

/** What is known of an answer that is left unread. */
function unusable(request: HttpRequest, { status }: Response): AuthErrorDetails {
  return { status, answerLost: mayBeDone(request, status) };
}

function parseJson(text: string, request: HttpRequest, answer: Response): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's error quotes the text, which may hold a token: it goes no further.
    return undefined;
  }
  if (!isDeep(json)) return json;
  throw new AuthError(
    "invalid_response",
    `The ${name(request)} sent JSON that is nested too deeply.`,
    unusable(request, answer),
  );
}

function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
