import { untilAborted } from "../abort.js";
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
      await untilAborted(before, signal);
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
