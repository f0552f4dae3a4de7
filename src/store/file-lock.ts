import { randomBytes } from "node:crypto";
import { publish } from "../debug/channel.js";
import { AuthError, cancelled } from "../errors.js";
import { discard } from "../files/replace-file.js";
import { breakLock, createLock, type Holder, readHolder, touchLock } from "./lock-file.js";
import { isAlive } from "./lock-owner.js";
import { EAGER, type Patience, pauseInQueue } from "./wait-for-lock.js";

/** Times of the lock, in milliseconds. Tests shorten them. */
export interface LockTimes {
  /** A lock that nobody has touched for this long, by the waiter's own steady clock, has lost its holder. */
  readonly staleMs: number;
  /** How long to wait for a lock that is in use. */
  readonly waitMs: number;
}

export const LOCK_TIMES: LockTimes = { staleMs: 15_000, waitMs: 90_000 };

/** How often it is tried to remove a lock of ours. */
const RELEASES = 3;
/** How often a lock that looked free is tried for without a pause. */
const MOST_MISSED = 10;

/**
 * A lock across processes and machines, on any file system that several of them share: a file that is made whole by
 * `link`, which NFS does atomically, too. No `flock`, and no clock is compared with another machine's: a holder
 * touches its lock, and a waiter judges only whether the file it sees changes while its own clock goes on.
 */
export class FileLock {
  /** Random; also names the temporary files that belong to this holding of the lock. */
  readonly id: string;
  /** Whether a holder before us was seen to have died with it. */
  readonly takenOver: boolean;
  readonly #path: string;
  #beat: NodeJS.Timeout | undefined;

  private constructor(path: string, id: string, times: LockTimes, takenOver: boolean) {
    this.#path = path;
    this.id = id;
    this.takenOver = takenOver;
    this.#beat = setInterval(() => void this.#touch(), times.staleMs / 5);
    this.#beat.unref();
  }

  /**
   * Waits for the lock and takes it.
   *
   * @param onTakeOver told the id of a dead holder before its lock is removed, to clean up after it
   * @param giveUp asked between two looks; true ends the waiting with `undefined`
   * @throws AuthError `store_locked` after `waitMs`, what `cancelled` says when aborted; system errors as they are
   */
  static async acquire(
    path: string,
    times: LockTimes,
    options: {
      onTakeOver?: (id: string) => Promise<void>;
      giveUp?: (() => Promise<boolean>) | undefined;
      patience?: Patience | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<FileLock | undefined> {
    const id = randomBytes(12).toString("hex");
    const watch = new LockWatch(path, times.staleMs);
    const start = performance.now();
    let sight: Sight = "free";
    let missed = 0;
    let [died, waiting] = [false, false];
    for (;;) {
      if (options.signal?.aborted) throw cancelled(options.signal);
      if (sight === "free" && (await createLock(path, id))) return new FileLock(path, id, times, died);
      sight = await watch.look();
      // Another waiter may remove the dead holder's lock, and we be the next to get it.
      if (sight !== "free") died = sight === "dead";
      if (sight === "dead" && (await watch.takeOver(options.onTakeOver))) {
        tell("lock_taken_over", path, watch.holder);
        sight = "free";
      }
      // Others may have been quicker a few times; but what can never be had must not be tried without a pause.
      missed = sight === "free" ? missed + 1 : 0;
      if (missed % MOST_MISSED > 0) continue;
      if (!waiting) tell("lock_waiting", path, watch.holder);
      waiting = true;
      if (await options.giveUp?.()) return undefined;
      const waited = performance.now() - start;
      if (waited > times.waitMs) throw lockedError(path, watch.holder, waited);
      await pauseInQueue(waited, options.patience ?? EAGER, options.signal);
    }
  }

  /** Whether the lock is still ours: not so where we were stopped for so long that another took it over. */
  async isHeld(): Promise<boolean> {
    return (await readHolder(this.#path))?.id === this.id;
  }

  /** Never fails: what it was held for is done, and a lock that nobody touches is taken over. */
  async release(): Promise<void> {
    clearInterval(this.#beat);
    this.#beat = undefined;
    for (let attempt = 1; attempt <= RELEASES; attempt++) {
      const held = await this.isHeld().catch(() => false);
      if (held && (await discard(this.#path))) return;
    }
  }

  async #touch(): Promise<void> {
    try {
      if (await this.isHeld()) await touchLock(this.#path);
    } catch {
      // Not touching it only makes it look abandoned; whoever writes checks isHeld() first.
    }
  }
}

type Sight = "free" | "held" | "dead";

/** What a waiter sees of a lock over time. */
class LockWatch {
  /** What was last seen. */
  holder: Holder | undefined;
  readonly #path: string;
  readonly #staleMs: number;
  #since = 0;

  constructor(path: string, staleMs: number) {
    this.#path = path;
    this.#staleMs = staleMs;
  }

  async look(): Promise<Sight> {
    const holder = await readHolder(this.#path);
    if (!holder) {
      this.holder = undefined;
      return "free";
    }
    if (holder.id !== this.holder?.id || holder.touched !== this.holder.touched) {
      this.holder = holder;
      this.#since = performance.now();
    }
    const dead = holder.owner && isAlive(holder.owner) === false;
    return dead || this.#untouchedFor(this.#staleMs) ? "dead" : "held";
  }

  /** Removes the lock of the dead holder that was seen; false where another process is at it. */
  async takeOver(cleanUp?: (id: string) => Promise<void>): Promise<boolean> {
    // After twice the time, whoever began to take it over died in the middle.
    const hung = this.#untouchedFor(2 * this.#staleMs);
    return this.holder === undefined || breakLock(this.#path, this.holder, hung, cleanUp);
  }

  #untouchedFor(ms: number): boolean {
    return this.holder !== undefined && performance.now() - this.#since > ms;
  }
}

function nameOf(holder: Holder | undefined): string {
  return holder?.owner ? `process ${holder.owner.pid} on ${holder.owner.host}` : "an unknown process";
}

function tell(action: "lock_waiting" | "lock_taken_over", path: string, holder: Holder | undefined): void {
  publish(() => ({ type: "store", action, store: `the lock ${path}`, holder: nameOf(holder) }));
}

function lockedError(path: string, holder: Holder | undefined, waitedMs: number): AuthError {
  const seconds = Math.round(waitedMs / 1000);
  const who = nameOf(holder);
  return new AuthError("store_locked", `The token store has been in use for ${seconds} s, now by ${who}.`, {
    hint: `Try again in a moment. If no such process exists, remove ${path}.`,
  });
}
