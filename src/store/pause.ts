import { cancelled } from "../errors.js";

/** Longest pause between two tries for a lock that is in use, in milliseconds. */
const MAX_PAUSE_MS = 100;

/**
 * The pause before the next try for a lock. Who has waited longer tries more often, so that nobody starves; jitter
 * keeps waiters apart. Ends early when the signal is aborted.
 *
 * @param waitedMs how long it has been waited for so far
 * @throws AuthError `login_cancelled`
 */
export async function pauseBeforeRetry(waitedMs: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = 1 + Math.random() * MAX_PAUSE_MS * Math.max(0.1, 1 - waitedMs / 5000);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
    signal?.addEventListener("abort", finish, { once: true });
  });
  if (signal?.aborted) throw cancelled(signal);
}
