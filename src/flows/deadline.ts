import { AuthError, cancelled } from "../errors.js";

/** A signal that ends with the caller's signal or when the time is up, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly at: number;
  /** Must be called when the work is done, so that no timer is left. */
  end(): void;
}

/** Longest delay that a timer of Node takes, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export function startDeadline(
  ms: number,
  now: number,
  timedOut: () => AuthError,
  signal?: AbortSignal,
): Deadline {
  const controller = new AbortController();
  const onAbort = () => {
    if (signal) controller.abort(cancelled(signal));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(timedOut()), Math.min(ms, MAX_TIMER_MS));
  return {
    signal: controller.signal,
    at: now + ms,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

/** The error for a person who did not finish in time. */
export function loginTimeout(seconds: number): AuthError {
  const shown = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  return new AuthError("login_timeout", `The login was not finished within ${shown} s.`);
}
