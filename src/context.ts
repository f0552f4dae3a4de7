/** The world as the protocol layers see it. Handed down from the caller, so that tests need no patching. */

/** What happened, for logs and progress displays. Holds no secret. */
export type AuthEvent =
  | { type: "reused"; server: string }
  | { type: "refresh_started"; server: string }
  | { type: "refreshed"; server: string }
  | { type: "refresh_refused"; server: string; code: string }
  | { type: "granted"; server: string }
  /** The server gave less than was asked for, or less than before. */
  | { type: "scope_reduced"; server: string; missing: readonly string[] }
  | { type: "login_started"; server: string; flow: "device" | "code"; reason: string }
  | { type: "logged_in"; server: string; flow: "device" | "code" }
  | { type: "retrying"; what: string; delayMs: number; reason: string }
  | { type: "callback_ignored"; reason: string }
  | { type: "warning"; message: string };

/** The effects that any layer may need. */
export interface Context {
  readonly fetch: typeof globalThis.fetch;
  /** Unix milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with an AuthError as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter only: never for secrets. */
  random(): number;
  emit(event: AuthEvent): void;
  /** Tells why a step is taken or skipped, to whoever asked for it. */
  explain(step: string): void;
}
