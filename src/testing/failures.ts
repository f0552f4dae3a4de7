import type { Fault } from "./server/faults.js";

const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json";
const PAGE = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>";
const PORTAL = "<!doctype html><html><body><h1>Welcome to our network</h1></body></html>";

/** Any fault of its kind, so that a program may not lean on what stands in it. */
const fault = (one: Fault): Fault => one;

/** What goes wrong between a program and its auth server, by name: `server.fail("token", failures.stall)`. */
export const failures = {
  // On the way.
  /** The connection is dropped before the request is processed. */
  connectionReset: "reset",
  /** The request is processed, then the connection is dropped: a refresh token may be spent. */
  lostAnswer: "lost-answer",
  /** Nothing is ever answered. */
  stall: "stall",
  /** Answered, but late. */
  slow: (ms: number): Fault => ({ delay: ms }),

  // The server has trouble.
  /** 500 in plain text. */
  internalError: fault({ status: 500, body: "Internal Server Error" }),
  /** 502: the routes cannot reach the provider. */
  providerDown: fault({
    status: 502,
    body: '{"detail":"Failed to contact OIDC endpoint: connection refused"}',
  }),
  /** 502 with a proxy's page. */
  htmlErrorPage: fault({ status: 502, body: PAGE, contentType: HTML }),
  /** 503 for some seconds (`Retry-After`, RFC 9110 §10.2.3). */
  unavailable: (seconds: number): Fault => ({ status: 503, headers: { "retry-after": String(seconds) } }),
  /** 429 for some seconds (RFC 6585 §4). */
  rateLimited: (seconds: number): Fault => ({ status: 429, headers: { "retry-after": String(seconds) } }),

  // An answer that is none.
  /** 200 and JSON that breaks off. */
  truncatedJson: fault({ status: 200, body: '{"access_token":"ab', contentType: JSON_TYPE }),
  /** 200 and nothing. */
  emptyBody: fault({ status: 200, body: "", contentType: JSON_TYPE }),
  /** 200 and some other program's page, as in a hotel. */
  captivePortal: fault({ status: 200, body: PORTAL, contentType: HTML }),
  /** A redirect elsewhere, which must not be followed with a secret. */
  redirect: fault({ status: 307, headers: { location: "http://127.0.0.1:9/elsewhere" } }),
  /** 404, as where a route is called otherwise. */
  notFound: fault({ status: 404, body: '{"detail":"Not Found"}' }),
  /** 502, as the routes say where the provider has no device flow. */
  noDeviceFlow: fault({
    status: 502,
    body: '{"detail":"OIDC endpoint \'device_authorization_endpoint\' not found in discovery."}',
  }),

  // The server says no (RFC 6749 §5.2, RFC 8628 §3.5).
  /** The refresh token or code is not good (any more). */
  invalidGrant: fault({ error: "invalid_grant", description: "grant request is invalid" }),
  /** The program is not known, or may not do this. */
  invalidClient: fault({ error: "invalid_client", description: "client authentication failed" }),
  /** The person said no. */
  accessDenied: fault({ error: "access_denied", description: "the person denied access" }),
  /** The device code ran out. */
  expiredToken: fault({ error: "expired_token", description: "the device code has expired" }),
  /** The program polls too quickly. */
  slowDown: fault({ error: "slow_down", description: "you are polling too quickly" }),
  /** Any other code of the server's. */
  oauthError: (error: string, description?: string): Fault => ({
    error,
    ...(description !== undefined && { description }),
  }),

  // The protected API.
  /** 401: the API refuses the token, whatever its end says (RFC 6750 §3.1). */
  tokenRefused: fault({
    status: 401,
    body: '{"detail":"Not authenticated"}',
    headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  }),
} as const satisfies Readonly<Record<string, Fault | ((...given: never[]) => Fault)>>;
