import { cancelled } from "../errors.js";

interface Work<T> {
  readonly promise: Promise<T>;
  readonly stop: AbortController;
  callers: number;
}

/** How long (milliseconds) an aborted caller waits for sockets and listeners to be closed. */
const GRACE_MS = 1000;

/** Work under way in this process, by what it works on (a store) and a key. */
const underWay = new WeakMap<object, Map<string, Work<unknown>>>();

/**
 * Runs `work` once for all concurrent callers with the same owner and key. A caller whose signal is aborted leaves at
 * once, and the work goes on for the others; it is told to stop when the last one has left.
 */
export async function share<T>(
  owner: object,
  key: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw cancelled(signal);
  const works = (underWay.get(owner) ?? new Map()) as Map<string, Work<T>>;
  underWay.set(owner, works as Map<string, Work<unknown>>);
  const joinable = works.get(key);
  const shared = joinable && !joinable.stop.signal.aborted ? joinable : begin(works, key, work);
  // A caller without a signal stays.
  return untilLeft(shared, signal ?? new AbortController().signal);
}

/** What comes of the work for one caller, who is counted for as long as they wait for it. */
async function untilLeft<T>(shared: Work<T>, signal: AbortSignal): Promise<T> {
  let left = false;
  const leave = () => {
    if (!left) shared.callers--;
    left = true;
  };
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      // At once: others may leave by the same signal.
      leave();
      void stopIfLast(shared, signal).then(() => reject(cancelled(signal)));
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
  shared.callers++;
  try {
    const result = await Promise.race([shared.promise, aborted]);
    // What was finished all the same is stored; whoever has left gets no more of it.
    if (left) throw cancelled(signal);
    return result;
  } finally {
    leave();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Stops the work where nobody else waits for it, and gives it a moment to close what it opened. */
async function stopIfLast<T>(shared: Work<T>, signal: AbortSignal): Promise<void> {
  if (shared.callers > 0) return;
  shared.stop.abort(cancelled(signal));
  let timer: NodeJS.Timeout | undefined;
  // A refresh under way is heard out and stored, but nobody has to wait for that.
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GRACE_MS);
  });
  const settled = shared.promise.then(
    () => {},
    () => {},
  );
  await Promise.race([settled, grace]);
  clearTimeout(timer);
}

function begin<T>(
  works: Map<string, Work<T>>,
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
): Work<T> {
  const stop = new AbortController();
  const promise = work(stop.signal).finally(() => {
    if (works.get(key)?.promise === promise) works.delete(key);
  });
  const shared: Work<T> = { promise, stop, callers: 0 };
  works.set(key, shared);
  return shared;
}
