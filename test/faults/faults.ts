import type { AuthErrorCode } from "../../src/errors.js";
import type { WireAnswer, WireFault, WireRequest } from "../support/fault-proxy.js";

/** What a fault comes to for a client that can only see its own end of the wire. */
export type Nature =
  /** Surely nothing reached the server. */
  | { readonly kind: "unreached" }
  /** Nobody was spoken to that can be trusted. */
  | { readonly kind: "untrusted" }
  /** The connection ended, or what came is no HTTP. */
  | { readonly kind: "dropped" }
  | { readonly kind: "slow" }
  /** A status other than 200. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: number;
      /** The code in OAuth's terms. */
      readonly error?: string;
    }
  /** The right status with a body that cannot be used. */
  | { readonly kind: "unreadable" }
  /** What was asked for lacks something that the call needs. */
  | { readonly kind: "wanting"; readonly code: AuthErrorCode }
  /** The right status, and more than anybody reads. */
  | { readonly kind: "endless" }
  /** Odd, and yet all that was asked for. */
  | { readonly kind: "readable" };

/** Where a request goes in the place of the proxy. */
export type Detour = "closed-port" | "no-such-name" | "expired" | "wrongHost" | "unknownAuthority";

export interface Fault {
  readonly name: string;
  readonly nature: Nature;
  /** What the proxy does, or where the request goes instead; `elsewhere` is another origin. */
  readonly wire: WireFault | { readonly detour: Detour } | ((elsewhere: string) => WireFault);
}

const HTML = "<!doctype html><html><body><h1>Bad Gateway</h1></body></html>";
/** As deep as JSON can be nested in what is still read. */
const DEEP = 100_000;

const wire = (name: string, kind: "dropped" | "slow" | "endless", fault: WireFault): Fault => ({
  name,
  nature: { kind },
  wire: fault,
});

const detour = (name: string, kind: "unreached" | "untrusted", to: Detour): Fault => ({
  name,
  nature: { kind },
  wire: { detour: to },
});

function status(code: number, body = "", headers: Record<string, string> = {}, error?: string): Fault {
  const after = headers["retry-after"];
  const about = error ?? (headers["content-type"]?.includes("html") ? "a page" : "");
  const shown = [String(code), about, after && `Retry-After ${after}`].filter(Boolean).join(", ");
  return {
    name: shown,
    nature: {
      kind: "status",
      status: code,
      ...(after !== undefined && { retryAfter: Number(after) }),
      ...(error !== undefined && { error }),
    },
    wire: { answer: () => ({ status: code, headers, body }) },
  };
}

const oauth = (code: number, error: string): Fault =>
  status(code, JSON.stringify({ error }), { "content-type": "application/json" }, error);

/** What was sent comes back in the words of the error. */
const echo = (code: number): Fault => ({
  name: `${code} that repeats what was sent`,
  nature: { kind: "status", status: code },
  wire: {
    answer: ({ body, headers }) => ({
      status: code,
      headers: { "content-type": "text/plain" },
      body: `Cannot handle ${decodeURIComponent(body)} ${headers.authorization ?? ""}`,
    }),
  },
});

/** What was granted comes in the body of an error. */
const granting = (name: string, code: number, change: (body: string) => string): Fault => ({
  name,
  nature: { kind: "status", status: code },
  wire: {
    change: (answer) => ({ ...answer, status: code, body: change(String(answer.body)) }),
  },
});

const redirect = (code: number): Fault => ({
  name: `${code} to another origin`,
  nature: { kind: "status", status: code },
  wire: (elsewhere) => ({
    answer: ({ path }) => ({ status: code, headers: { location: elsewhere + path }, body: "" }),
  }),
});

const body = (
  name: string,
  kind: "unreadable" | "endless" | "readable",
  change: (answer: WireAnswer) => object,
): Fault => ({
  name: `a body that is ${name}`,
  nature: { kind },
  wire: { change: (answer) => ({ ...answer, ...change(answer) }) },
});

const json = (text: string) => ({ headers: { "content-type": "application/json" }, body: text });

/** Every way in which a request may go wrong beside what its JSON says. */
export const FAULTS: readonly Fault[] = [
  detour("refused", "unreached", "closed-port"),
  detour("a name that cannot be resolved", "unreached", "no-such-name"),
  detour("a certificate that has expired", "untrusted", "expired"),
  detour("a certificate of another host", "untrusted", "wrongHost"),
  detour("a certificate of an unknown authority", "untrusted", "unknownAuthority"),

  wire("reset before the server is asked", "dropped", { reset: "before" }),
  wire("reset when the server has answered", "dropped", { reset: "after" }),
  wire("reset in mid-headers", "dropped", { reset: "headers" }),
  wire("reset in mid-body", "dropped", { reset: "body" }),
  wire("no HTTP", "dropped", { raw: "SSH-2.0-OpenSSH_9.6\r\n" }),
  wire("nothing at all", "dropped", { raw: "" }),
  wire("headers without end", "dropped", {
    raw: `HTTP/1.1 200 OK\r\nconnection: close\r\nx: ${"x".repeat(64 * 1024)}\r\n\r\n`,
  }),
  wire("a body shorter than it says", "dropped", {
    raw: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{}",
  }),
  wire("a body that is not packed as it says", "dropped", {
    raw: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip",
  }),

  wire("stalled before the server is asked", "slow", { stall: "before" }),
  wire("stalled when the server has answered", "slow", { stall: "after" }),
  wire("stalled in mid-body", "slow", { stall: "body" }),
  wire("slow headers", "slow", { drip: "headers" }),
  wire("a slow body", "slow", { drip: "body" }),

  wire("a body of a gigabyte", "endless", { flood: "plain" }),
  wire("a gigabyte packed into a megabyte", "endless", { flood: "gzip" }),

  ...[400, 401, 403, 404, 405, 408, 410, 418, 422, 500, 501].map((code) => status(code)),
  ...[502, 503, 504].map((code) => status(code, HTML, { "content-type": "text/html" })),
  status(503, "", { "retry-after": "2" }),
  status(503, "", { "retry-after": "3600" }),
  status(429),
  status(429, "", { "retry-after": "2" }),
  status(429, "", { "retry-after": "3600" }),
  oauth(400, "invalid_request"),
  oauth(400, "server_error"),
  oauth(503, "temporarily_unavailable"),
  oauth(400, "something_of_their_own"),
  echo(400),
  echo(500),
  granting("500 with what was asked for", 500, (text) => text),
  granting("500 with half of what was asked for", 500, (text) => text.slice(0, -2)),

  ...[301, 302, 303, 307, 308].map(redirect),
  {
    name: "a redirect loop",
    nature: { kind: "status", status: 307 },
    wire: { answer: ({ path }: WireRequest) => ({ status: 307, headers: { location: path }, body: "" }) },
  },
  status(304),

  body("empty", "unreadable", () => ({ body: "" })),
  body("truncated JSON", "unreadable", ({ body: whole }) => ({ body: String(whole).slice(0, -2) })),
  body("a page", "unreadable", () => ({ headers: { "content-type": "text/html" }, body: HTML })),
  body("null", "unreadable", () => json("null")),
  body("a list", "unreadable", () => json("[]")),
  body("a text", "unreadable", () => json('"fine"')),
  body("an empty object", "unreadable", () => json("{}")),
  body("nested without end", "endless", () => json("[".repeat(DEEP) + "]".repeat(DEEP))),
  body("no UTF-8", "unreadable", () => ({
    headers: { "content-type": "application/json" },
    body: Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  })),
  body("right, of no type", "readable", () => ({ headers: {} })),
  body("right, and called text", "readable", () => ({ headers: { "content-type": "text/plain" } })),
  body("right, and called a page", "readable", () => ({ headers: { "content-type": "text/html" } })),
  body("right, behind a byte order mark", "readable", ({ body: whole }) => ({ body: `\ufeff${whole}` })),
  body("right, with members of other names", "readable", ({ body: whole }) => ({
    body: String(whole).replace(/^\{/, '{"__proto__":{"access_token":"x"},"constructor":1,'),
  })),
];
