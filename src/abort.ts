import { cancelled } from "./errors.js";

/** Waits for work that others wait for, too, until the caller's own signal is aborted. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) {
    // It goes on, and nobody is there any more to whom its failure could be told.
    work.catch(() => {});
    throw cancelled(signal);
  }
  expectMany(signal);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled(signal));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** A service ends many calls by one signal: that more than ten listen to it is no leak, which Node would warn of. */
function expectMany(signal: AbortSignal): void {
  try {
    // Not 0, which means the same: of that Node 20 says, when it is asked, that it is no signal.
    process.getBuiltinModule("node:events").setMaxListeners(Number.POSITIVE_INFINITY, signal);
  } catch {
    // A signal of another make has no such limit.
  }
}
