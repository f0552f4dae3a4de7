import { cancelled } from "../errors.js";

/** Options of {@link fakeClock}. */
export interface FakeClockOptions {
  /** What time it is at first: a date, or Unix milliseconds. Default: now. */
  start?: Date | number | undefined;
  /** Whether pauses last until {@link FakeClock.advanceSeconds} has passed them; else the clock jumps over them. Default false. */
  manual?: boolean | undefined;
  /** Runs in each pause, which lasts until it is done. */
  onPause?: ((pause: { readonly number: number; readonly ms: number }) => unknown) | undefined;
}

/** A clock that stands still until it is moved, to be spread into a program's options. */
export interface FakeClock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A pause of that many milliseconds on this clock. Rejects as soon as the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Lets this many seconds pass, and ends the pauses that are over by then. */
  readonly advanceSeconds: (seconds: number) => void;
  /** Resolves as soon as somebody pauses, with the milliseconds that they want. */
  readonly sleeping: () => Promise<number>;
  /** Milliseconds of each pause so far. */
  readonly pauses: readonly number[];
}

interface Sleeper {
  readonly ms: number;
  /** Unix milliseconds. */
  readonly until: number;
  ready: boolean;
  wake: () => void;
}

/**
 * The time of a test: `authenticate(target, { store, ...fakeClock() })` waits for nothing. By default a pause is over as
 * soon as the clock has jumped to its end; with several, to the earliest.
 */
export function fakeClock({ start = Date.now(), manual = false, onPause }: FakeClockOptions = {}): FakeClock {
  let now = Number(start);
  const sleepers = new Set<Sleeper>();
  const watchers = new Set<(ms: number) => void>();
  const pauses: number[] = [];

  const wakeUntilNow = () => {
    for (const sleeper of [...sleepers].sort((a, b) => a.until - b.until)) {
      if (sleeper.until > now) return;
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  };
  const jump = () => {
    const [first] = [...sleepers].sort((a, b) => a.until - b.until);
    // One that is not done with its pause yet jumps itself.
    if (!first?.ready) return;
    now = Math.max(now, first.until);
    wakeUntilNow();
    if (sleepers.size > 0) setImmediate(jump);
  };
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (signal?.aborted) throw cancelled(signal);
    const number = pauses.push(ms);
    const sleeper: Sleeper = { ms, until: now + ms, ready: false, wake: () => {} };
    sleepers.add(sleeper);
    const slept = new Promise<void>((resolve, reject) => {
      const leave = () => {
        sleepers.delete(sleeper);
        if (signal) reject(cancelled(signal));
      };
      sleeper.wake = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      signal?.addEventListener("abort", leave, { once: true });
    });
    for (const watcher of watchers) watcher(ms);
    watchers.clear();
    const act = async () => {
      await onPause?.({ number, ms });
      sleeper.ready = true;
      if (!manual) setImmediate(jump);
    };
    await Promise.all([slept, act()]);
  };
  return {
    now: () => now,
    sleep,
    advanceSeconds: (seconds) => {
      now += seconds * 1000;
      wakeUntilNow();
    },
    sleeping: () =>
      new Promise((resolve) => {
        const [first] = sleepers;
        if (first) resolve(first.ms);
        else watchers.add(resolve);
      }),
    pauses,
  };
}
