import { rename, stat, truncate } from "node:fs/promises";
import { assertReplaceable, discard, writeDraft } from "../files/replace-file.js";

/** What a refreshed token may need beyond the present size of the file, in bytes. */
const RESERVE_BYTES = 64 * 1024;
/** What the lock of a change may need, in bytes: less than half of that, as it is asked for twice. */
const LOCK_BYTES = 16 * 1024;

/**
 * Disk space that is taken before work begins, for its result: a refresh token must not be spent where its successor
 * could not be kept. Whoever writes uses it, and leaves the space of the file that was replaced.
 */
export class ReservedSpace {
  /** Files that hold it, by whom it was taken for. */
  readonly #files = new Map<string, string>();

  /** @throws what the system says where a file of the size, and of the owner, of the one at `place` cannot replace it */
  async take(key: string, file: string, place: string): Promise<void> {
    await assertReplaceable(place);
    this.#files.set(key, file);
    const size = await stat(place).then(
      (found) => found.size,
      () => 0,
    );
    await writeDraft(file, place, "\n".repeat(size + RESERVE_BYTES));
  }

  /** Makes some of it a draft to write to. @returns whether there was any */
  async use(draft: string): Promise<boolean> {
    for (const [key, file] of this.#files) {
      try {
        await rename(file, draft);
        this.#files.delete(key);
        return true;
      } catch {
        // A new draft may do as well.
        await this.free(key);
      }
    }
    return false;
  }

  /** Gives some of it back, for the lock of a change: on a disk that is full without that, it cannot be had. */
  async yieldForLock(): Promise<void> {
    for (const file of this.#files.values()) {
      try {
        const { size } = await stat(file);
        await truncate(file, Math.max(0, size - LOCK_BYTES));
      } catch {
        // The change is tried again all the same.
      }
    }
  }

  async free(key: string): Promise<void> {
    const file = this.#files.get(key);
    this.#files.delete(key);
    if (file !== undefined) await discard(file);
  }
}
