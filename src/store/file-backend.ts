import { chmodSync, readFileSync, type Stats, statSync } from "node:fs";
import { AuthError } from "../errors.js";
import type { Entry, HeldLock, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { sameEntry } from "./entry.js";
import { ANY_KEY, emptyDocument, isStoredEntry, parseDocument, type StoreDocument } from "./file-document.js";
import type { LockTimes } from "./file-lock.js";
import type { FileWriter } from "./file-writer.js";
import { isSystemError, unreadable } from "./store-error.js";

/** A store larger than this is none. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface FileBackendOptions {
  /** Told of what was repaired or kept aside. */
  readonly onWarning: (message: string) => void;
  /** Times of the locks; for tests. */
  readonly lockTimes?: LockTimes | undefined;
}

/**
 * Keeps tokens in one JSON file, in the Python client's layout. Reading takes no lock and, while the file is the
 * same one, no reading either; writing and locking live in file-writer.ts, which is loaded when first needed.
 */
export function fileBackend(path: string, options: FileBackendOptions): TokenStoreBackend {
  return new FileBackend(path, options);
}

class FileBackend implements TokenStoreBackend {
  readonly description: string;
  readonly #path: string;
  readonly #options: FileBackendOptions;
  #cache: { readonly identity: string; readonly document: StoreDocument } | undefined;
  #writer: Promise<FileWriter> | undefined;
  #warned = false;

  constructor(path: string, options: FileBackendOptions) {
    this.#path = path;
    this.#options = options;
    this.description = `the file ${path}`;
  }

  async get(key: string): Promise<Entry | undefined> {
    return entryOf(this.#read(), key);
  }

  async keys(): Promise<string[]> {
    return [...this.#read().values].filter(([, value]) => isStoredEntry(value)).map(([key]) => key);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const writer = await this.#write();
    return writer.change((document) => {
      if (condition && !sameEntry(entryOf(document, key), condition.ifUnchanged)) return false;
      document.values.set(keyIn(document, key), entry);
      return true;
    }, key);
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    const writer = await this.#write();
    return writer.change((document) => {
      if (condition && !sameEntry(entryOf(document, key), condition.ifUnchanged)) return false;
      return document.values.delete(keyIn(document, key));
    }, key);
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    const isGone = (value: unknown) => isStoredEntry(value) && gone(value);
    const { layout, values } = this.#read();
    if (layout === "bare" || ![...values.values()].some(isGone)) return;
    const writer = await this.#write();
    await writer.change((document) => {
      const before = document.values.size;
      for (const [key, value] of document.values) if (isGone(value)) document.values.delete(key);
      return document.values.size !== before;
    });
  }

  async assertWritable(): Promise<void> {
    const writer = await this.#write();
    await writer.change(() => false);
  }

  async withLock<T>(
    key: string,
    work: (lock: HeldLock) => Promise<T>,
    options: LockOptions<T> = {},
  ): Promise<T> {
    const writer = await this.#write();
    return writer.withLock(keyIn(this.#read(), key), work, options);
  }

  #write(): Promise<FileWriter> {
    this.#writer ??= import("./file-writer.js").then(
      ({ FileWriter }) => new FileWriter(this.#path, this.#options),
    );
    return this.#writer;
  }

  #read(): StoreDocument {
    try {
      const stat = statSync(this.#path);
      const identity = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
      if (this.#cache?.identity === identity) return this.#cache.document;
      assertStoreFile(this.#path, stat);
      this.#closeToOthers(stat);
      const document = parseDocument(readFileSync(this.#path, "utf8"));
      if (!document) return this.#corrupt();
      this.#cache = { identity, document };
      return document;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return emptyDocument();
      if (error instanceof AuthError) throw error;
      throw unreadable(this.#path, error);
    }
  }

  #corrupt(): StoreDocument {
    this.#warnOnce(
      `The token store ${this.#path} is not valid JSON. It is left as it is; a new login keeps it aside.`,
    );
    return emptyDocument();
  }

  /** Tokens that others can read are tokens that others have: mended where the file is ours. */
  #closeToOthers(stat: Stats): void {
    if (process.platform === "win32" || (stat.mode & 0o077) === 0 || stat.uid !== process.getuid?.()) return;
    try {
      chmodSync(this.#path, 0o600);
      this.#warnOnce(`The token store ${this.#path} could be read by others; its mode is now 0600.`);
    } catch {
      this.#warnOnce(`The token store ${this.#path} can be read by others: set its mode to 0600.`);
    }
  }

  #warnOnce(message: string): void {
    if (!this.#warned) this.#options.onWarning(message);
    this.#warned = true;
  }
}

/** Reading a pipe or a device could hang for ever. */
function assertStoreFile(path: string, stat: Stats): void {
  if (!stat.isFile())
    throw unreadable(path, new Error(stat.isDirectory() ? "it is a folder" : "it is not a file"));
  if (stat.size > MAX_BYTES) throw unreadable(path, new Error(`it is larger than ${MAX_BYTES} bytes`));
}

function keyIn(document: StoreDocument, key: string): string {
  return document.layout === "bare" ? ANY_KEY : key;
}

function entryOf(document: StoreDocument, key: string): Entry | undefined {
  const value = document.values.get(keyIn(document, key));
  return isStoredEntry(value) ? value : undefined;
}
