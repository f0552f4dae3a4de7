import { cancelled } from "../errors.js";
import type { LockOptions } from "./backend.js";

/** Runs works of one key one after the other, in the order they came, within this process. */
export async function inTurn<T>(
  turns: Map<string, Promise<void>>,
  key: string,
  work: () => Promise<T>,
  options: LockOptions<T> = {},
): Promise<T> {
  const { signal, giveUp } = options;
  const before = turns.get(key);
  let done: () => void = () => {};
  const mine = new Promise<void>((resolve) => {
    done = resolve;
  });
  // A waiter that leaves early keeps its place: those behind it wait for the one before it, too.
  const tail = (before ?? Promise.resolve()).then(() => mine);
  turns.set(key, tail);
  try {
    if (before) {
      await orAborted(before, signal);
      const ready = await giveUp?.();
      if (ready !== undefined) return ready;
    }
    return await work();
  } finally {
    done();
    void tail.then(() => {
      if (turns.get(key) === tail) turns.delete(key);
    });
  }
}

/** Waits for a promise or for the signal, whichever is first. */
async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  if (signal.aborted) throw cancelled(signal);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled(signal));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
