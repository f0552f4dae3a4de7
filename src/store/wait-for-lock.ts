import { AuthError, cancelled } from "../errors.js";
import type { LockOptions } from "./backend.js";

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

/** The lock, or what the waiter found before it got it. */
export type Waited<L, T> = { readonly lock: L } | { readonly ready: T };

/**
 * Tries for a lock until it is free, until the waiter's result is there, or until the time is up.
 *
 * @param tryLock one try; `undefined` where another process has it
 * @param where the store, for the message
 * @throws AuthError `store_locked` after `waitMs`, `login_cancelled` when aborted
 */
export async function waitForLock<L, T>(
  tryLock: () => Promise<L | undefined>,
  where: string,
  waitMs: number,
  { signal, giveUp }: LockOptions<T>,
): Promise<Waited<L, T>> {
  const start = performance.now();
  for (;;) {
    if (signal?.aborted) throw cancelled(signal);
    const lock = await tryLock();
    if (lock !== undefined) return { lock };
    const ready = await giveUp?.();
    if (ready !== undefined) return { ready };
    const waited = performance.now() - start;
    if (waited > waitMs) {
      const seconds = Math.round(waited / 1000);
      throw new AuthError("store_locked", `A token in ${where} has been in use for ${seconds} s.`);
    }
    await pauseBeforeRetry(waited, signal);
  }
}
