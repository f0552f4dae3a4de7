import { lstat, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { discard } from "../files/replace-file.js";

/** Longer (milliseconds) than any lock is held or waited for. */
const ABANDONED_MS = 10 * 60_000;

/**
 * Removes what processes that were killed in the middle of a write or of taking a lock left beside the store. Ages
 * are told by the store file itself, which was just written on the same disk: no clock of this machine is trusted.
 * Never fails: litter harms nobody.
 */
export async function removeLitter(path: string): Promise<void> {
  try {
    const { mtimeMs: now } = await stat(path);
    const prefix = `${basename(path)}.`;
    for (const name of await readdir(dirname(path))) {
      if (!name.startsWith(prefix) || !/\.([0-9a-f]{24}|unknown)\.(new|tmp|break|break\.old)$/.test(name))
        continue;
      const litter = join(dirname(path), name);
      const found = await lstat(litter).catch(() => undefined);
      if (found && now - found.mtimeMs > ABANDONED_MS) await discard(litter);
    }
  } catch {
    // The folder may be unreadable.
  }
}
