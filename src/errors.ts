import { cleanText, printable } from "./text.js";

/** How an error code is treated: the CLI's exit status, the next step for a person, and whether a later try may work. */
export interface ErrorKind {
  /** Exit status of the CLI when a command ends with this error. */
  readonly exit: 1 | 2 | 3 | 4;
  /** What to do next, in words; an error may carry a more precise hint of its own. */
  readonly hint: string;
  /** Whether the same call may succeed later with nothing changed. */
  readonly retryable: boolean;
}

/** The CLI ends with 1 for what failed, 2 for what was called wrongly, 3 where a person is needed, 4 where none came. */
const kind = (hint: string, retryable = false, exit: ErrorKind["exit"] = 1): ErrorKind => ({
  exit,
  hint,
  retryable,
});

const LOG_IN = "Log in again.";
const ADMIN = "Change the client's registration at the provider, or ask the administrator of the server to.";

/**
 * The error codes of OAuth 2.0 and OpenID Connect as they stand (RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, OpenID
 * Connect Core §3.1.2.6, RFC 6750 §3.1, RFC 8707 §2): what a server may say.
 */
const PROTOCOL_ERROR_KINDS = {
  access_denied: kind("The request was denied at the login page. Log in again and allow access."),
  account_selection_required: kind("Log in again and choose an account."),
  consent_required: kind("Log in again and allow access."),
  expired_token: kind("The code ran out before it was entered. Start the login again.", false, 4),
  interaction_required: kind(
    "Log in where a person can answer, with the same token store, or set OIDC_TOKEN_FILE to a token file.",
    false,
    3,
  ),
  invalid_client: kind(
    "Check clientId, and the client's secret or key; or ask the administrator of the server.",
  ),
  invalid_grant: kind(LOG_IN),
  invalid_request: kind("Check the settings of the server, and that client and server versions fit."),
  insufficient_scope: kind("Log in with the scopes that are missing: scopes: [...]."),
  invalid_scope: kind("Ask for other scopes."),
  invalid_target: kind("Check resource and audience: the server knows no such API."),
  invalid_token: kind(LOG_IN),
  login_required: kind(LOG_IN),
  server_error: kind("Try again later; if it stays, tell the server's administrator.", true),
  temporarily_unavailable: kind("Try again in a moment.", true),
  unauthorized_client: kind(ADMIN),
  unsupported_grant_type: kind(ADMIN),
  unsupported_response_type: kind(ADMIN),
} as const satisfies Record<string, ErrorKind>;

/** What only we say. */
const OWN_ERROR_KINDS = {
  credentials_unavailable: kind(
    "Start this where the credentials are, or correct where they are looked for.",
  ),
  device_flow_unsupported: kind('Use the browser login: flow: "code", or --flow code on the command line.'),
  insecure_host: kind(
    "Use https, or allow http for this host: allowInsecureHost: true, on the command line --allow-insecure-host.",
    false,
    2,
  ),
  invalid_config: kind("Correct the named option.", false, 2),
  invalid_response: kind(
    "Check that the address is that of an auth server, and that no proxy answers in its place.",
  ),
  login_cancelled: kind("Start the login again.", false, 4),
  login_timeout: kind("Start the login again, with a longer timeout if it needs more time.", false, 4),
  network_error: kind("Check the address and the network, then try again.", true),
  issuer_mismatch: kind(
    "Somebody mixed up two servers, or the issuer is written differently there. Check issuer, and start the login again.",
  ),
  no_free_port: kind("Close the program that holds the ports, or name others with redirectPorts."),
  not_supported: kind("Use another way that this server offers."),
  request_failed: kind("Try again later; if it stays, tell the server's administrator."),
  resource_metadata_missing: kind("Name the issuer yourself: { issuer, clientId, resource }."),
  state_mismatch: kind("The answer belongs to another login. Start the login again."),
  store_locked: kind("Another process is at work on the store. Try again in a moment.", true),
  store_unavailable: kind("Use another token store."),
  store_unreadable: kind("Check the file and its permissions; the store was left as it is."),
  store_unwritable: kind("Make the folder of the store writable and free some space, or use another path."),
} as const satisfies Record<string, ErrorKind>;

/** The codes of OAuth 2.0 and OpenID Connect: what a server may send. */
export type ProtocolErrorCode = keyof typeof PROTOCOL_ERROR_KINDS;

/** The codes that are our own: no server can send them. */
export type OwnErrorCode = keyof typeof OWN_ERROR_KINDS;

/** The codes of {@link AuthError}. What each means, and what to do, is told in the guide "Errors". */
export type AuthErrorCode = ProtocolErrorCode | OwnErrorCode;

/** Every code an {@link AuthError} can have, and how it is treated. */
export const ERROR_KINDS: Readonly<Record<AuthErrorCode, ErrorKind>> = {
  ...PROTOCOL_ERROR_KINDS,
  ...OWN_ERROR_KINDS,
};

/** Whether a string, as a server sent it, is one of the protocol's codes: never one of our own. */
export function isProtocolErrorCode(code: string): code is ProtocolErrorCode {
  return Object.hasOwn(PROTOCOL_ERROR_KINDS, code);
}

/** Details of an {@link AuthError}. */
export interface AuthErrorDetails {
  /** HTTP status of the answer that led to the error. */
  status?: number | undefined;
  /** What the server said, cleaned of control characters and secrets. */
  description?: string | undefined;
  /** What to do next; taken from the code where it is not given. */
  hint?: string | undefined;
  /** The server's own error code where it is not one of ours. */
  serverCode?: string | undefined;
  /** Seconds that the server asked us to wait (`Retry-After`). */
  retryAfter?: number | undefined;
  /** Whether what was to be spent surely was not, and a later try may work. */
  unprocessed?: boolean | undefined;
  /** Whether what was to be spent may be, as no answer came that can be used. */
  answerLost?: boolean | undefined;
  /** What it comes from. */
  cause?: unknown;
}

/** Longest message; what a server contributes to one is shorter. */
const MAX_LENGTH = 2000;

/**
 * The one error of this library. What can go wrong at run time is thrown as this; its text, JSON and inspection
 * never show a token, a code or a verifier.
 */
export class AuthError extends Error {
  /** `AuthError`. */
  override readonly name = "AuthError";
  /** What happened, for programs. */
  readonly code: AuthErrorCode;
  /** HTTP status of the server's answer, where there was one. */
  readonly status?: number;
  /** What the server said, cleaned. */
  readonly description?: string;
  /** What to do next, for people. */
  readonly hint: string;
  /** The server's own error code where it is not a documented one. */
  readonly serverCode?: string;
  /** Seconds that the server asked us to wait. */
  readonly retryAfter?: number;
  /**
   * True where the request was to spend something (a refresh token, a code), surely did not, and a later try may work:
   * doing it again is safe. What spends nothing has been tried again already.
   */
  readonly unprocessed: boolean;
  /**
   * True where the request was to spend something and may have done so: its answer never came, or cannot be used. A
   * refresh token in it may be worth one more try, as some servers take one again for a while.
   */
  readonly answerLost: boolean;

  /** For backends, credentials and displays of your own: what they throw should be one of these, too. */
  constructor(code: AuthErrorCode, message: string, details: AuthErrorDetails = {}) {
    // Here, as every error comes through: whatever a server had put into it, it can be printed.
    super(cleanText(message, MAX_LENGTH), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = printable(details.hint ?? ERROR_KINDS[code].hint);
    this.unprocessed = details.unprocessed ?? false;
    this.answerLost = details.answerLost ?? false;
    if (details.status !== undefined) this.status = details.status;
    if (details.description !== undefined) this.description = cleanText(details.description, MAX_LENGTH);
    if (details.serverCode !== undefined) this.serverCode = cleanText(details.serverCode, MAX_LENGTH);
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
  }

  /** What `JSON.stringify` writes: everything but `cause` and the stack. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, status, description, hint, serverCode, retryAfter } = this;
    return { name, code, message, status, description, hint, serverCode, retryAfter };
  }
}

/** Whether something caught is an {@link AuthError}, and of one of the given codes where some are given. */
export function isAuthError(error: unknown, ...codes: AuthErrorCode[]): error is AuthError {
  return error instanceof AuthError && (codes.length === 0 || codes.includes(error.code));
}

/** The error for a caller's signal that was aborted. */
export function cancelled(signal: AbortSignal): AuthError {
  const reason: unknown = signal.reason;
  if (reason instanceof AuthError) return reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new AuthError("login_timeout", "The time given for the login ran out.", { cause: reason });
  }
  return new AuthError("login_cancelled", "The login was cancelled.", { cause: reason });
}
