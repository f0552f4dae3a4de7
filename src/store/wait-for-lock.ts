import { publish } from "../debug/channel.js";
import { AuthError, cancelled } from "../errors.js";
import type { LockOptions } from "./backend.js";

/** How long (milliseconds) to pause at most, after having waited for so long. */
export type Patience = (waitedMs: number) => number;

/** For a lock that is held for milliseconds by many in turn: who has waited longer tries more often, so none starves. */
export const EAGER: Patience = (waitedMs) => Math.max(10, 100 - waitedMs / 50);

/**
 * For a lock that one holds while all others wait for its result: they look less and less often, so that a thousand
 * waiters leave the holder, and the file server, room to work.
 */
export const PATIENT: Patience = (waitedMs) => Math.min(1000, 20 + waitedMs / 2);

/**
 * The pause before the next try for a lock, with jitter that keeps waiters apart. Ends early when aborted.
 *
 * @throws AuthError `login_cancelled`
 */
export async function pauseInQueue(
  waitedMs: number,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ms = 1 + Math.random() * patience(waitedMs);
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
  for (let tries = 1; ; tries++) {
    if (signal?.aborted) throw cancelled(signal);
    const lock = await tryLock();
    if (lock !== undefined) return { lock };
    if (tries === 1) publish(() => ({ type: "store", action: "lock_waiting", store: where }));
    const ready = await giveUp?.();
    if (ready !== undefined) return { ready };
    const waited = performance.now() - start;
    if (waited > waitMs) {
      const seconds = Math.round(waited / 1000);
      throw new AuthError("store_locked", `A token in ${where} has been in use for ${seconds} s.`);
    }
    await pauseInQueue(waited, PATIENT, signal);
  }
}
