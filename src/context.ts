/** The world as the protocol layers see it. Handed down from the caller, so that tests need no patching. */

/**
 * What happened, for logs and progress displays. Holds no secret. `server` is the address that is asked, as
 * {@link Config.host} writes it.
 *
 * - `reused`: the stored token was good enough.
 * - `refresh_started`, `refreshed`: the stored token is renewed, and was (RFC 6749 §6).
 * - `refresh_refused`: the server refused to, with the code of its {@link AuthError}; a login follows.
 * - `granted`: credentials got a token without a person.
 * - `scope_reduced`: the server gave less than was asked for, or less than before; `missing` are the scopes.
 * - `login_started`, `logged_in`: a person is asked, for a reason that is told, and has logged in.
 * - `retrying`: something failed that may work later; it is tried again after `delayMs` milliseconds.
 * - `callback_ignored`: something came to the redirect port that is not this login's answer.
 * - `token_withheld`: a request of `createAuthFetch()` went to an origin that is not among the allowed ones, and so without
 *   the token; told once for each origin.
 * - `warning`: something that a person should know, in a sentence.
 */
export type AuthEvent =
  | { type: "reused"; server: string }
  | {
      type: "refresh_started";
      server: string;
      /** Since when (Unix seconds) it is not known whether the refresh token was spent: this is its one more try. */
      lostAt?: number;
    }
  | { type: "refreshed"; server: string }
  /** The server may have renewed the token, but its answer was lost on the way. */
  | { type: "refresh_lost"; server: string }
  | { type: "refresh_refused"; server: string; code: string; reason: string }
  | { type: "granted"; server: string }
  | { type: "scope_reduced"; server: string; missing: readonly string[] }
  | { type: "login_started"; server: string; flow: "device" | "code"; reason: string }
  | { type: "logged_in"; server: string; flow: "device" | "code" }
  /** While a login was waiting for the person, another process stored one for the same place: that one is used. */
  | { type: "login_elsewhere"; server: string }
  | { type: "retrying"; what: string; delayMs: number; reason: string }
  | { type: "callback_ignored"; reason: string }
  | {
      type: "token_withheld";
      server: string;
      /** Where the request went. */
      origin: string;
    }
  | { type: "warning"; message: string };

/** What {@link Context.requestTimeoutMs} is where the caller does not say. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

/** The effects that any layer may need. */
export interface Context {
  /** Sends a request. */
  readonly fetch: typeof globalThis.fetch;
  /** Longest time (milliseconds) that one request may take, from the first byte sent to the last one read. */
  readonly requestTimeoutMs: number;
  /** Unix milliseconds: what the clock shows, which may be set at any time. For the ends of tokens. */
  now(): number;
  /** Milliseconds that go by, also while the machine sleeps, whatever is done to its clock. For how long to wait. */
  uptime(): number;
  /** Resolves after `ms` milliseconds; rejects with an AuthError as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter only: never for secrets. */
  random(): number;
  /** Tells an event to whoever asked for them. */
  emit(event: AuthEvent): void;
  /** Tells why a step is taken or skipped, to whoever asked for it. */
  explain(step: string): void;
}
