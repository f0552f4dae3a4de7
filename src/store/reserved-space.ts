import { rename, stat, truncate } from "node:fs/promises";
import { assertReplaceable, discard, writeDraft } from "../files/replace-file.js";
import { isSystemError } from "./store-error.js";

/** What a refreshed token may need beyond the present size of the file, in bytes. */
const RESERVE_BYTES = 64 * 1024;
/** What the lock of a change may need, in bytes: less than half of that, as it is asked for twice. */
const LOCK_BYTES = 16 * 1024;

/**
 * Disk space that is taken before work begins, for its result: a refresh token must not be spent where its successor
 * could not be kept. Whoever writes to a full disk uses it, and leaves the space of the file that was replaced.
 */
export class ReservedSpace {
  /** Files that hold it, by whom it was taken for: whole ones alone, as anybody who writes may use them. */
  readonly #files = new Map<string, string>();

  /** @throws what the system says where a file of the size, and of the owner, of the one at `place` cannot replace it */
  async take(key: string, file: string, place: string): Promise<void> {
    await assertReplaceable(place);
    const size = await stat(place).then(
      (found) => found.size,
      () => 0,
    );
    try {
      await writeDraft(file, place, "\n".repeat(size + RESERVE_BYTES));
    } catch (error) {
      await discard(file);
      throw error;
    }
    this.#files.set(key, file);
  }

  /** Writes the draft that is to replace `place`: where the disk is full, into what was taken. */
  async writeDraft(draft: string, place: string, text: string): Promise<void> {
    try {
      await writeDraft(draft, place, text);
    } catch (error) {
      if (!isFull(error) || !(await this.#use(draft))) throw error;
      await writeDraft(draft, place, text, { reuse: true });
    }
  }

  /** Makes some of it a draft to write to. @returns whether there was any */
  async #use(draft: string): Promise<boolean> {
    for (const [key, file] of this.#files) {
      // From here on it is nobody else's, whatever happens meanwhile.
      this.#files.delete(key);
      try {
        await rename(file, draft);
        return true;
      } catch {
        await discard(file);
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

/** Whether there is no room, on the disk or in what this user may have of it. */
export function isFull(error: unknown): boolean {
  return isSystemError(error, "ENOSPC", "EDQUOT");
}
