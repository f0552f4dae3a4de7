import type { Context } from "./context.js";
import { isAuthError } from "./errors.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
/** A server that asks for a longer pause (milliseconds) gets its way: the error is told instead. */
const MAX_PAUSE_MS = 20_000;

/** Why something did not work that may work in a moment. */
export interface Trouble {
  readonly reason: string;
  /** Seconds that the server asked us to wait. */
  readonly retryAfter?: number | undefined;
}

/**
 * The pause before the next attempt: longer each time, with jitter, and as long as the server asks for.
 *
 * @param failures how many attempts have failed
 * @returns whether there is to be another attempt: not after the third, nor where the server wants more than 20 s
 * @throws AuthError `login_cancelled` where the signal is aborted meanwhile
 */
export async function pauseBeforeRetry(
  what: string,
  failures: number,
  { reason, retryAfter = 0 }: Trouble,
  context: Context,
  signal?: AbortSignal,
): Promise<boolean> {
  const jitter = 1 + context.random() / 2;
  const delayMs = Math.max(retryAfter * 1000, FIRST_PAUSE_MS * 2 ** (failures - 1) * jitter);
  if (failures >= ATTEMPTS || delayMs > MAX_PAUSE_MS) return false;
  context.emit({ type: "retrying", what, delayMs, reason });
  await context.sleep(delayMs, signal);
  return true;
}

/**
 * Does again what spends something (a refresh token, a code) only where it surely was not processed: name not resolved,
 * connection refused, 429, or 503 with `Retry-After`. Anything else is thrown at once.
 */
export async function retryUnprocessed<T>(
  what: string,
  context: Context,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAuthError(error) || !error.unprocessed) throw error;
      const trouble = { reason: error.message, retryAfter: error.retryAfter };
      if (!(await pauseBeforeRetry(what, failures, trouble, context, signal))) throw error;
    }
  }
}
