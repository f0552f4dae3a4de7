import { type Stats, statSync } from "node:fs";
import { readRegularFile } from "../files/regular-file.js";
import type { Entry, HeldLock, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { sameEntry } from "./entry.js";
import { dangersOf, mend, refusePlantedLink } from "./file-dangers.js";
import { MAX_STORE_BYTES, StoreDocument } from "./file-document.js";
import type { LockTimes } from "./file-lock.js";
import type { FileWriter } from "./file-writer.js";
import { readIfThere } from "./store-error.js";

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
  readonly #warned = new Set<string>();
  #cache: { readonly stat: Stats; readonly document: StoreDocument } | undefined;
  #writer: Promise<FileWriter> | undefined;

  constructor(path: string, options: FileBackendOptions) {
    this.#path = path;
    this.#options = options;
    this.description = `the file ${path}`;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#read().get(key);
  }

  async keys(): Promise<string[]> {
    return this.#read()
      .entries()
      .map(([key]) => key);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const writer = await this.#write();
    return writer.change((document) => {
      if (condition && !sameEntry(document.get(key), condition.ifUnchanged)) return false;
      document.set(key, entry);
      return true;
    });
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    const writer = await this.#write();
    return writer.change((document) => {
      if (condition && !sameEntry(document.get(key), condition.ifUnchanged)) return false;
      return document.delete(key);
    });
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    if (this.#read().ended(gone).length === 0) return;
    const writer = await this.#write();
    await writer.change((current) => current.prune(gone));
  }

  async assertWritable(): Promise<void> {
    const writer = await this.#write();
    await writer.assertWritable();
  }

  async withLock<T>(
    key: string,
    work: (lock: HeldLock) => Promise<T>,
    options: LockOptions<T> = {},
  ): Promise<T> {
    const writer = await this.#write();
    return writer.withLock(this.#read().placeOf(key), work, options);
  }

  #write(): Promise<FileWriter> {
    this.#writer ??= import("./file-writer.js").then(
      ({ FileWriter }) => new FileWriter(this.#path, this.#options),
    );
    return this.#writer;
  }

  #read(): StoreDocument {
    return readIfThere(this.#path, () => this.#readFile()) ?? StoreDocument.empty();
  }

  #readFile(): StoreDocument {
    const seen = statSync(this.#path);
    if (this.#cache && isSameFile(this.#cache.stat, seen)) return this.#cache.document;
    refusePlantedLink(this.#path);
    const { bytes, stat } = readRegularFile(this.#path, MAX_STORE_BYTES);
    for (const danger of dangersOf(this.#path, stat)) this.#warnOnce(mend(this.#path, danger));
    const document = StoreDocument.parse(bytes);
    if (!document) return this.#corrupt();
    this.#cache = { stat, document };
    return document;
  }

  #corrupt(): StoreDocument {
    this.#warnOnce("is not valid JSON. It is left as it is; a new login keeps it aside.");
    return StoreDocument.empty();
  }

  #warnOnce(what: string): void {
    if (!this.#warned.has(what)) this.#options.onWarning(`The token store ${this.#path} ${what}`);
    this.#warned.add(what);
  }
}

/** Tells a file from the one before it without reading it. */
function isSameFile(one: Stats, other: Stats): boolean {
  const { dev, ino, size, mtimeMs, ctimeMs } = other;
  const sameContent = one.size === size && one.mtimeMs === mtimeMs && one.ctimeMs === ctimeMs;
  return sameContent && one.ino === ino && one.dev === dev;
}
