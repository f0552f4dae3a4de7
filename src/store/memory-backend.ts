import type { Entry, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { sameEntry } from "./entry.js";
import { inTurn } from "./in-turn.js";

/** Keeps tokens in this process only: for tests, and for servers that must not write to disk. */
export function memoryBackend(): TokenStoreBackend {
  return new MemoryBackend();
}

class MemoryBackend implements TokenStoreBackend {
  readonly description = "this process's memory";
  readonly #entries = new Map<string, Entry>();
  readonly #locks = new Map<string, Promise<void>>();

  async get(key: string): Promise<Entry | undefined> {
    return this.#entries.get(key);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    if (condition && !sameEntry(this.#entries.get(key), condition.ifUnchanged)) return false;
    this.#entries.set(key, structuredClone(entry));
    return true;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    if (condition && !sameEntry(this.#entries.get(key), condition.ifUnchanged)) return false;
    return this.#entries.delete(key);
  }

  async keys(): Promise<string[]> {
    return [...this.#entries.keys()];
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (gone(entry)) this.#entries.delete(key);
    }
  }

  async assertWritable(): Promise<void> {}

  async withLock<T>(key: string, work: () => Promise<T>, options: LockOptions<T> = {}): Promise<T> {
    return inTurn(this.#locks, key, work, options);
  }
}
