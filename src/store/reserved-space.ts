import { rename, stat } from "node:fs/promises";
import { assertReplaceable, discard, writeDraft } from "../files/replace-file.js";

/** What a refreshed token may need beyond the present size of the file, in bytes. */
const RESERVE_BYTES = 64 * 1024;

/**
 * Disk space that is taken before work begins, for its result: a refresh token must not be spent where its successor
 * could not be kept.
 */
export class ReservedSpace {
  /** Files that hold it, by key. */
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

  /** Makes it a draft to write to. @returns whether there was any */
  async use(key: string, draft: string): Promise<boolean> {
    const file = this.#files.get(key);
    if (file === undefined) return false;
    try {
      await rename(file, draft);
      this.#files.delete(key);
      return true;
    } catch {
      // A new draft may do as well.
      await this.free(key);
      return false;
    }
  }

  async free(key: string): Promise<void> {
    const file = this.#files.get(key);
    this.#files.delete(key);
    if (file !== undefined) await discard(file);
  }
}
