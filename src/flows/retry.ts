import type { Context } from "../context.js";
import { isAuthError } from "../errors.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
/** A server that asks for a longer pause (milliseconds) gets its way: the error is told instead. */
const MAX_PAUSE_MS = 20_000;

/**
 * Sends a request that spends something (a refresh token, a code) again only where it surely was not processed:
 * name not resolved, connection refused, 429, or 503 with `Retry-After`. Anything else is thrown at once.
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
      if (!isAuthError(error) || !error.unprocessed || failures === ATTEMPTS) throw error;
      const jitter = 1 + context.random() / 2;
      const delayMs = Math.max((error.retryAfter ?? 0) * 1000, FIRST_PAUSE_MS * 2 ** (failures - 1) * jitter);
      if (delayMs > MAX_PAUSE_MS) throw error;
      context.emit({ type: "retrying", what, delayMs, reason: error.message });
      await context.sleep(delayMs, signal);
    }
  }
}
