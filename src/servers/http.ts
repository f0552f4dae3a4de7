import type { Context } from "../context.js";
import { AuthError, cancelled } from "../errors.js";
import { cleanText } from "../text.js";
import { measureSkew } from "./clock-skew.js";

/** Longest time (milliseconds) that one request may take, from the first byte sent to the last one read. */
const REQUEST_TIMEOUT_MS = 30_000;
/** An answer longer than this (bytes) is no answer of an auth server. */
const MAX_BODY_BYTES = 1024 * 1024;

export interface HttpRequest {
  /** Names the request in messages, such as "token route". */
  readonly what: string;
  readonly url: URL;
  /** Sent as `application/x-www-form-urlencoded` by POST; without it the request is a GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** Default: GET, and POST with a form or a body. */
  readonly method?: string | undefined;
  /** Beside `accept: application/json`. */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  /** Something else than a form. */
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether the body is left unread: it may be a stream that never ends. */
  readonly headersOnly?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** The body where it is JSON. */
  readonly json: unknown;
  readonly headers: Headers;
  readonly contentType: string;
  readonly location: string | null;
  /** `Retry-After` in seconds. */
  readonly retryAfter: number | undefined;
}

/**
 * The one place that sends requests. Follows no redirect, as one on a POST would carry a secret elsewhere.
 *
 * @throws AuthError `network_error`, with `unprocessed` where the request surely never reached the server;
 *   `invalid_response` for an answer that is too long; what `cancelled()` says where the signal was aborted
 */
export async function send(request: HttpRequest, context: Context): Promise<HttpAnswer> {
  const { url, form, signal } = request;
  const body = form ? new URLSearchParams(form).toString() : (request.body ?? null);
  const headers = new Headers(request.headers);
  if (!headers.has("accept")) headers.set("accept", "application/json");
  if (form) headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
  if (signal?.aborted) throw cancelled(signal);
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(), REQUEST_TIMEOUT_MS);
  try {
    const asked = context.now();
    const answer = await context.fetch(url, {
      method: request.method ?? (body === null ? "GET" : "POST"),
      headers,
      body,
      redirect: "manual",
      credentials: "omit",
      signal: stop.signal,
    });
    measureSkew(url, answer.headers, asked, context);
    if (request.headersOnly) await answer.body?.cancel();
    const text = request.headersOnly ? "" : await readBody(answer, request);
    return {
      status: answer.status,
      text,
      json: parseJson(text),
      headers: answer.headers,
      contentType: answer.headers.get("content-type") ?? "",
      location: answer.headers.get("location"),
      retryAfter: parseRetryAfter(answer.headers.get("retry-after"), context.now()),
    };
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (error instanceof AuthError) throw error;
    if (stop.signal.aborted) throw timedOut(request);
    throw networkError(request, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

async function readBody(answer: Response, request: HttpRequest): Promise<string> {
  if (!answer.body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Breaking out of the loop cancels the stream, which closes the connection.
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      throw new AuthError("invalid_response", `The ${name(request)} sent more than ${MAX_BODY_BYTES} bytes.`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's error quotes the text, which may hold a token: it goes no further.
    return undefined;
  }
}

function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** A request as a person would name it: "token route (https://auth.example.org/auth/v2/token)". */
export function name(request: Pick<HttpRequest, "what" | "url">): string {
  return `${request.what} (${cleanText(request.url.origin + request.url.pathname)})`;
}

function timedOut(request: HttpRequest): AuthError {
  const seconds = REQUEST_TIMEOUT_MS / 1000;
  return new AuthError("network_error", `The ${name(request)} did not answer within ${seconds} s.`);
}

/** System calls before any byte of the request has left: what fails in them was surely not processed. */
const CONNECTING = new Set(["connect", "getaddrinfo"]);

function networkError(request: HttpRequest, error: unknown): AuthError {
  const failure = systemError(error);
  const code = failure?.code ?? "";
  const connecting = CONNECTING.has(failure?.syscall ?? "") || code === "UND_ERR_CONNECT_TIMEOUT";
  const [what, hint] = explain(code, request.url);
  return new AuthError("network_error", `The ${name(request)} cannot be reached: ${what}.`, {
    cause: error,
    hint,
    unprocessed: connecting,
  });
}

function explain(code: string, url: URL): [string, string | undefined] {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return [`the name ${url.hostname} cannot be resolved`, "Check the address, and the network or VPN."];
  }
  if (code === "ECONNREFUSED") return ["nothing answers on that port", undefined];
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET" || code === "EPIPE") {
    return ["the connection was dropped", undefined];
  }
  if (/TIMEOUT|TIMEDOUT/.test(code)) return ["it takes too long to answer", undefined];
  if (/CERT|SIGNED|ISSUER|SSL|TLS/.test(code)) {
    return [
      `its certificate or TLS set-up is not trusted (${code})`,
      "If the server's certificate comes from your organisation, name its CA file: NODE_EXTRA_CA_CERTS=/path/to/ca.pem, or network: { caFile }.",
    ];
  }
  return [code || "the connection failed", undefined];
}

interface SystemError {
  code?: string;
  syscall?: string;
}

/** Digs the system's error out of what `fetch` throws: nested in `cause`, or the last of several addresses tried. */
function systemError(error: unknown, depth = 0): SystemError | undefined {
  if (typeof error !== "object" || error === null || depth > 5) return undefined;
  if (error instanceof AggregateError) {
    // Every address must have failed while connecting; one that got further decides.
    const failures = error.errors.map((one) => systemError(one, depth + 1));
    return failures.find((one) => !CONNECTING.has(one?.syscall ?? "")) ?? failures[0];
  }
  const { code, syscall, cause } = error as { code?: unknown; syscall?: unknown; cause?: unknown };
  if (cause !== undefined) return systemError(cause, depth + 1) ?? (error as SystemError);
  return {
    ...(typeof code === "string" && { code }),
    ...(typeof syscall === "string" && { syscall }),
  };
}
