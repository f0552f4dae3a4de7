import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { HeldLock, LockOptions } from "./backend.js";
import type { FileBackendOptions } from "./file-backend.js";
import { emptyDocument, parseDocument, type StoreDocument, serialiseDocument } from "./file-document.js";
import { FileLock, LOCK_TIMES } from "./file-lock.js";
import { inTurn } from "./in-turn.js";
import { removeLitter } from "./litter.js";
import { isSystemError, unreadable, unwritable } from "./store-error.js";
import { EAGER, PATIENT } from "./wait-for-lock.js";

/** What a refreshed token may need beyond the present size of the file, in bytes. */
const RESERVE_BYTES = 64 * 1024;
/** How often a change is begun anew where our lock was taken over in the middle of it. */
const ATTEMPTS = 3;

/**
 * Writes and locks a store file. Two kinds of lock lie beside it: one for each key, held for as long as a refresh
 * takes, and one for the file, held for the few milliseconds in which it is read, changed and replaced.
 */
export class FileWriter {
  readonly #given: string;
  readonly #options: FileBackendOptions;
  readonly #turns = new Map<string, Promise<void>>();
  /** Files that hold disk space for the result of the work under way, by key. */
  readonly #reserved = new Map<string, string>();
  #swept = false;

  constructor(path: string, options: FileBackendOptions) {
    this.#given = path;
    this.#options = options;
  }

  /**
   * Reads the file anew, lets `edit` change what it holds, and replaces it in one step where `edit` returns true.
   *
   * @param key whose reserved space may be used
   */
  async change(edit: (document: StoreDocument) => boolean, key = ""): Promise<boolean> {
    try {
      const path = await this.#prepare();
      return await inTurn(this.#turns, "file", async () => {
        for (let attempt = 1; ; attempt++) {
          const lock = await this.#acquire(path, `${path}.lock`);
          try {
            const document = await this.#readForChange(path);
            if (!edit(document)) return false;
            if (await this.#replace(path, serialiseDocument(document), lock, key)) return true;
          } finally {
            await lock.release();
          }
          if (attempt === ATTEMPTS) throw new Error("another process takes its lock away again and again");
        }
      });
    } catch (error) {
      throw unwritable(this.#given, error);
    }
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
      if (lock) await this.#reserve(path, lock, key);
    } catch (error) {
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
      await this.#unreserve(key);
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
    const onTakeOver = async (id: string) => remove(temporary(path, id));
    const patience = giveUp ? PATIENT : EAGER;
    const times = this.#options.lockTimes ?? LOCK_TIMES;
    return FileLock.acquire(lockPath, times, { onTakeOver, giveUp, patience, signal });
  }

  /** Makes the folder where there is none; the path with symbolic links followed, so that a linked store stays one. */
  async #prepare(): Promise<string> {
    await mkdir(dirname(this.#given), { recursive: true, mode: 0o700 });
    try {
      return await realpath(this.#given);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      return join(await realpath(dirname(this.#given)), basename(this.#given));
    }
  }

  async #readForChange(path: string): Promise<StoreDocument> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return emptyDocument();
      throw unreadable(path, error);
    }
    return parseDocument(text) ?? (await this.#keepAside(path));
  }

  /** Moves a file that is not a store out of the way, for a person to look at: nothing is ever overwritten. */
  async #keepAside(path: string): Promise<StoreDocument> {
    const time = new Date().toISOString().replace(/[-:]/g, "");
    const aside = `${path}.corrupt-${time}`;
    await rename(path, aside);
    this.#options.onWarning(`The token store ${path} is not valid JSON. It was kept as ${aside}.`);
    return emptyDocument();
  }

  /**
   * Puts a new text in the file's place: aside, flushed, then renamed. False where our lock was taken over
   * meanwhile; then nothing was changed.
   */
  async #replace(path: string, text: string, lock: FileLock, key: string): Promise<boolean> {
    const draft = temporary(path, lock.id);
    try {
      const reserved = this.#reserved.get(key);
      if (reserved !== undefined) {
        await rename(reserved, draft);
        this.#reserved.delete(key);
      }
      const file = await open(draft, reserved === undefined ? "wx" : "r+", 0o600);
      await writeAndClose(file, text);
      if (!(await lock.isHeld())) return false;
      await rename(draft, path);
      await syncFolder(dirname(path));
      if (!this.#swept) await removeLitter(path);
      this.#swept = true;
      return true;
    } catch (error) {
      // Whoever takes a lock over removes its draft: that is how a holder that slept too long is kept from writing.
      if (isSystemError(error, "ENOENT") && !(await lock.isHeld())) return false;
      throw error;
    } finally {
      await remove(draft);
    }
  }

  /** Takes the disk space for the result before the work begins: a refresh token must not be spent on a full disk. */
  async #reserve(path: string, lock: FileLock, key: string): Promise<void> {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    const reserved = temporary(path, lock.id);
    this.#reserved.set(key, reserved);
    try {
      await writeAndClose(await open(reserved, "wx", 0o600), "\n".repeat(size + RESERVE_BYTES));
    } catch (error) {
      await this.#unreserve(key);
      throw error;
    }
  }

  async #unreserve(key: string): Promise<void> {
    const reserved = this.#reserved.get(key);
    this.#reserved.delete(key);
    if (reserved !== undefined) await remove(reserved);
  }
}

/** Temporary files are named after the lock they were made under, so that whoever takes it over finds them. */
function temporary(path: string, lockId: string): string {
  return `${path}.${lockId}.tmp`;
}

async function writeAndClose(file: FileHandle, text: string): Promise<void> {
  try {
    const bytes = Buffer.from(text);
    await file.writeFile(bytes);
    await file.truncate(bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is durable once its folder is; not every platform lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself was flushed: at worst a crash of the machine shows the old state.
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
}
