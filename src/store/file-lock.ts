import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, rename, unlink, writeFile } from "node:fs/promises";
import { AuthError, cancelled } from "../errors.js";
import { isAlive, thisProcess } from "./lock-owner.js";
import { isSystemError } from "./store-error.js";

/** Times of the lock, in milliseconds. Tests shorten them. */
export interface LockTimes {
  /** A lock that nobody has touched for this long, by the waiter's own steady clock, has lost its holder. */
  readonly staleMs: number;
  /** How long to wait for a lock that is in use. */
  readonly waitMs: number;
}

export const LOCK_TIMES: LockTimes = { staleMs: 15_000, waitMs: 90_000 };

/** Longest pause between two looks at a lock that is in use, in milliseconds. */
const MAX_PAUSE_MS = 100;

/**
 * A lock across processes and machines, on any file system that several of them share: a file that is made whole by
 * `link`, which NFS does atomically, too. No `flock`, and no clock is compared with another machine's: a holder
 * touches its lock, and a waiter judges only whether the file it sees changes while its own clock goes on.
 */
export class FileLock {
  /** Random; also names the temporary files that belong to this holding of the lock. */
  readonly id: string;
  readonly #path: string;
  #beat: NodeJS.Timeout | undefined;

  private constructor(path: string, id: string, times: LockTimes) {
    this.#path = path;
    this.id = id;
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
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<FileLock | undefined> {
    const id = randomBytes(12).toString("hex");
    const watch = new LockWatch(path, times.staleMs);
    const start = performance.now();
    let sight: Sight = "free";
    for (;;) {
      if (options.signal?.aborted) throw cancelled(options.signal);
      if (sight === "free" && (await create(path, id))) return new FileLock(path, id, times);
      sight = await watch.look();
      if (sight === "dead" && (await takeOver(path, watch, options.onTakeOver))) sight = "free";
      if (sight === "free") continue;
      if (await options.giveUp?.()) return undefined;
      const waited = performance.now() - start;
      if (waited > times.waitMs) throw lockedError(path, watch.holder, waited);
      // Who waited longer looks more often, so that nobody starves; jitter keeps waiters apart.
      const pause = MAX_PAUSE_MS * Math.max(0.1, 1 - waited / 5000);
      await delay(1 + Math.random() * pause, options.signal);
    }
  }

  /** Whether the lock is still ours: not so where we were stopped for so long that another took it over. */
  async isHeld(): Promise<boolean> {
    return (await readHolder(this.#path))?.id === this.id;
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    this.#beat = undefined;
    if (await this.isHeld()) await unlink(this.#path).catch(ignoreMissing);
  }

  async #touch(): Promise<void> {
    try {
      if (!(await this.isHeld())) return;
      const file = await open(this.#path, constants.O_RDWR);
      const now = new Date();
      await file.utimes(now, now).finally(() => file.close());
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

  /** Whether even the taking over has hung: whoever began it died in the middle. */
  get takeOverHung(): boolean {
    return this.#untouchedFor(2 * this.#staleMs);
  }

  #untouchedFor(ms: number): boolean {
    return this.holder !== undefined && performance.now() - this.#since > ms;
  }
}

/** Makes the lock file with its content at once; false where there is one already. */
async function create(path: string, id: string): Promise<boolean> {
  const content = JSON.stringify({ id, ...thisProcess() });
  const draft = `${path}.${id}.new`;
  await writeFile(draft, content, { flag: "wx", mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    if (!isSystemError(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) throw error;
    // A file system without hard links: an exclusive create is atomic there, only its content comes a moment later.
    return createExclusively(path, content);
  } finally {
    await unlink(draft).catch(ignoreMissing);
  }
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead holder. A guard file named after that holder lets only one waiter do it; and what is
 * moved away is looked at once more, so that a lock that a quicker process has just made is put back.
 */
async function takeOver(
  path: string,
  watch: LockWatch,
  onTakeOver: ((id: string) => Promise<void>) | undefined,
): Promise<boolean> {
  const deadId = watch.holder?.id ?? "";
  const guard = `${path}.${deadId || "unknown"}.break`;
  try {
    await writeFile(guard, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    if (watch.takeOverHung) await unlink(guard).catch(ignoreMissing);
    return false;
  }
  try {
    if ((await readHolder(path))?.id !== deadId) return true;
    if (deadId) await onTakeOver?.(deadId);
    const removed = `${guard}.old`;
    await rename(path, removed);
    const moved = await readHolder(removed);
    if (moved?.id !== deadId) await link(removed, path).catch(() => {});
    await unlink(removed);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return true;
    throw error;
  } finally {
    await unlink(guard).catch(ignoreMissing);
  }
}

interface Holder {
  readonly id: string;
  readonly touched: string;
  readonly owner: ReturnType<typeof thisProcess> | undefined;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    // Opening it makes an NFS client ask the server: a bare stat may be answered from a cache a minute old.
    const file = await open(path, constants.O_RDONLY);
    try {
      const [{ ino, mtimeMs }, content] = [await file.stat(), await file.readFile("utf8")];
      return { touched: `${ino} ${mtimeMs}`, ...parseHolder(content) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESTALE")) return undefined;
    throw error;
  }
}

function parseHolder(content: string): Pick<Holder, "id" | "owner"> {
  try {
    const { id, host, pid, space } = JSON.parse(content) as Record<string, unknown>;
    if (typeof id === "string" && typeof host === "string" && typeof pid === "number") {
      // The id becomes part of file names.
      if (/^[0-9a-f]+$/.test(id)) return { id, owner: { host, pid, space: String(space) } };
    }
  } catch {
    // Being written, or not ours: its age decides.
  }
  return { id: "", owner: undefined };
}

function lockedError(path: string, holder: Holder | undefined, waitedMs: number): AuthError {
  const seconds = Math.round(waitedMs / 1000);
  const who = holder?.owner ? `process ${holder.owner.pid} on ${holder.owner.host}` : "an unknown process";
  return new AuthError("store_locked", `The token store has been in use for ${seconds} s, now by ${who}.`, {
    hint: `Try again in a moment. If no such process exists, remove ${path}.`,
  });
}

async function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
    signal?.addEventListener("abort", finish, { once: true });
  });
}

function ignoreMissing(error: unknown): void {
  if (!isSystemError(error, "ENOENT")) throw error;
}
