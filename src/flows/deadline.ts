import type { Context } from "../context.js";
import { AuthError, cancelled } from "../errors.js";

/** A signal that ends with the caller's signal or when the time is up, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Unix milliseconds, as the clock shows it now; for display. */
  readonly at: number;
  /** Must be called when the work is done, so that no timer is left. */
  end(): void;
}

/** Timers stand still while the machine sleeps: so often (milliseconds) it is looked whether the time is up. */
const LOOK_MS = 1000;
/** Longest delay that a timer of Node takes, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export function startDeadline(
  ms: number,
  { now, uptime }: Pick<Context, "now" | "uptime">,
  timedOut: () => AuthError,
  signal?: AbortSignal,
): Deadline {
  const controller = new AbortController();
  const onAbort = () => {
    if (signal) controller.abort(cancelled(signal));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const [end, atLatest] = [uptime() + ms, performance.now() + ms];
  let timer = setTimeout(look, Math.min(ms, LOOK_MS));
  function look(): void {
    // A caller's own clock may stand still: no login waits for ever.
    const left = Math.min(end - uptime(), atLatest - performance.now());
    if (left <= 0) controller.abort(timedOut());
    else timer = setTimeout(look, Math.min(left, LOOK_MS));
  }
  return {
    signal: controller.signal,
    at: now() + ms,
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
