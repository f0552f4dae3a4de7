import { createHash } from "node:crypto";
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { AuthError } from "../errors.js";
import { makeFolder } from "../files/file-owner.js";
import { readRegularFile } from "../files/regular-file.js";
import { discard, putInPlace, throughLinks } from "../files/replace-file.js";
import type { HeldLock, LockOptions } from "./backend.js";
import type { FileBackendOptions } from "./file-backend.js";
import { refusePlantedLink } from "./file-dangers.js";
import { MAX_STORE_BYTES, StoreDocument } from "./file-document.js";
import { FileLock, LOCK_TIMES } from "./file-lock.js";
import { inTurn } from "./in-turn.js";
import { changedText } from "./kept-text.js";
import { removeLitter } from "./litter.js";
import { isFull, ReservedSpace } from "./reserved-space.js";
import { isSystemError, readIfThere, unwritable } from "./store-error.js";
import { EAGER, PATIENT } from "./wait-for-lock.js";

/** How often a change is begun anew where it failed for a moment, or our lock was taken over in the middle of it. */
const ATTEMPTS = 3;
/** Between two attempts, in milliseconds. */
const PAUSE_MS = 100;

/**
 * Writes and locks a store file. Two kinds of lock lie beside it: one for each key, held for as long as a refresh
 * takes, and one for the file, held for the few milliseconds in which it is read, changed and replaced.
 */
export class FileWriter {
  readonly #given: string;
  readonly #options: FileBackendOptions;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #space = new ReservedSpace();
  #swept = false;

  constructor(path: string, options: FileBackendOptions) {
    this.#given = path;
    this.#options = options;
  }

  /**
   * Reads the file anew, lets `edit` change what it holds, and replaces it in one step where `edit` returns true.
   */
  async change(edit: (document: StoreDocument) => boolean): Promise<boolean> {
    return inTurn(this.#turns, "file", async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          const changed = await this.#changeOnce(edit);
          if (changed !== undefined) return changed;
          if (attempt === ATTEMPTS) throw new Error("another process takes its lock away again and again");
        } catch (error) {
          // What is written may be a refresh token that no server gives out twice.
          if (attempt === ATTEMPTS || !mayPass(error)) throw unwritable(this.#given, error);
          if (isFull(causeOf(error))) await this.#space.yieldForLock();
          await new Promise((done) => setTimeout(done, PAUSE_MS));
        }
      }
    });
  }

  /** @returns undefined where our lock was taken over meanwhile; then nothing was changed */
  async #changeOnce(edit: (document: StoreDocument) => boolean): Promise<boolean | undefined> {
    const path = await this.#prepare();
    const lock = await this.#acquire(path, `${path}.lock`);
    try {
      const found = this.#readForChange(path);
      const document = found ?? StoreDocument.empty();
      if (!edit(document)) return false;
      if (!found) await this.#keepAside(path);
      const { next, before, text } = document.change();
      return (await this.#replace(path, `${changedText(next, before, text)}\n`, lock)) || undefined;
    } finally {
      await lock.release();
    }
  }

  /** Tries all that a change needs, and changes nothing. */
  async assertWritable(): Promise<void> {
    await inTurn(this.#turns, "file", async () => {
      try {
        const path = await this.#prepare();
        const lock = await this.#acquire(path, `${path}.lock`);
        try {
          this.#readForChange(path);
          await this.#space.take(path, temporary(path, lock.id), path);
        } finally {
          await this.#space.free(path);
          await lock.release();
        }
      } catch (error) {
        throw unwritable(this.#given, error);
      }
    });
  }

  async withLock<T>(key: string, work: (lock: HeldLock) => Promise<T>, options: LockOptions<T>): Promise<T> {
    let path: string;
    try {
      path = await this.#prepare();
    } catch (error) {
      throw unwritable(this.#given, error);
    }
    const name = createHash("sha256").update(key).digest("hex").slice(0, 16);
    return inTurn(
      this.#turns,
      key,
      () => this.#locked(path, `${path}.${name}.lock`, key, work, options),
      options,
    );
  }

  async #locked<T>(
    path: string,
    lockPath: string,
    key: string,
    work: (lock: HeldLock) => Promise<T>,
    { signal, giveUp }: LockOptions<T>,
  ): Promise<T> {
    let ready: { value: T } | undefined;
    const isReady = async () => {
      const value = await giveUp?.();
      if (value !== undefined) ready = { value };
      return ready !== undefined;
    };
    let lock: FileLock | undefined;
    try {
      lock = await this.#acquire(path, lockPath, isReady, signal);
      if (lock) await this.#space.take(key, temporary(path, lock.id), path);
    } catch (error) {
      await this.#space.free(key);
      await lock?.release();
      throw unwritable(this.#given, error);
    }
    if (!lock) {
      if (ready) return ready.value;
      throw new Error("A lock was given up without a reason.");
    }
    try {
      return await work(lock);
    } finally {
      await this.#space.free(key);
      await lock.release();
    }
  }

  #acquire(path: string, lockPath: string): Promise<FileLock>;
  #acquire(
    path: string,
    lockPath: string,
    giveUp: () => Promise<boolean>,
    signal: AbortSignal | undefined,
  ): Promise<FileLock | undefined>;
  #acquire(path: string, lockPath: string, giveUp?: () => Promise<boolean>, signal?: AbortSignal) {
    // A dead holder's half-written file must never replace the store, should it turn out to be only asleep.
    const onTakeOver = async (id: string) => {
      if (!(await discard(temporary(path, id)))) throw new Error("a dead process's draft cannot be removed");
    };
    const patience = giveUp ? PATIENT : EAGER;
    const times = this.#options.lockTimes ?? LOCK_TIMES;
    return FileLock.acquire(lockPath, times, { onTakeOver, giveUp, patience, signal });
  }

  /** Makes the folder where there is none; the path with symbolic links followed, so that a linked store stays one. */
  async #prepare(): Promise<string> {
    refusePlantedLink(this.#given);
    await makeFolder(dirname(this.#given));
    return throughLinks(this.#given);
  }

  /** What the file holds; undefined where it is not a store. */
  #readForChange(path: string): StoreDocument | undefined {
    const found = readIfThere(path, () => readRegularFile(path, MAX_STORE_BYTES));
    return found ? StoreDocument.parse(found.bytes) : StoreDocument.empty();
  }

  /** Moves a file that is not a store out of the way, for a person to look at: nothing is ever overwritten. */
  async #keepAside(path: string): Promise<void> {
    const time = new Date().toISOString().replace(/[-:]/g, "");
    const aside = `${path}.corrupt-${time}`;
    await rename(path, aside);
    this.#options.onWarning(`The token store ${path} is not valid JSON. It was kept as ${aside}.`);
  }

  /**
   * Puts a new text in the file's place: aside, flushed, then renamed. False where our lock was taken over
   * meanwhile; then nothing was changed.
   */
  async #replace(path: string, text: string, lock: FileLock): Promise<boolean> {
    const draft = temporary(path, lock.id);
    try {
      await this.#space.writeDraft(draft, path, text);
      if (!(await lock.isHeld())) return false;
      await putInPlace(draft, path);
      if (!this.#swept) await removeLitter(path);
      this.#swept = true;
      return true;
    } catch (error) {
      // Whoever takes a lock over removes its draft: that is how a holder that slept too long is kept from writing.
      if (isSystemError(error, "ENOENT") && !(await lock.isHeld())) return false;
      throw error;
    } finally {
      await discard(draft);
    }
  }
}

/** Whether it is the system that failed, which it may not do again: a file server, or a folder that was removed. */
function mayPass(error: unknown): boolean {
  return isSystemError(causeOf(error));
}

function causeOf(error: unknown): unknown {
  return error instanceof AuthError ? error.cause : error;
}

/** Temporary files are named after the lock they were made under, so that whoever takes it over finds them. */
function temporary(path: string, lockId: string): string {
  return `${path}.${lockId}.tmp`;
}
