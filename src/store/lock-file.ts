import { constants } from "node:fs";
import { link, open, rename, unlink, writeFile } from "node:fs/promises";
import { type LockOwner, thisProcess } from "./lock-owner.js";
import { isSystemError } from "./store-error.js";

/** What a lock file says, and a mark that changes whenever its holder touches it. */
export interface Holder {
  /** "" where the file names none (yet). */
  readonly id: string;
  readonly touched: string;
  readonly owner: LockOwner | undefined;
}

/** Makes the lock file with its content at once; false where there is one already. */
export async function createLock(path: string, id: string): Promise<boolean> {
  const content = JSON.stringify({ id, ...thisProcess() });
  const draft = draftOf(path, id);
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
 *
 * @param guardIsDead the guard, where there is one, was left by a process that died
 * @param cleanUp told the dead holder's id before its lock is removed
 * @returns false where another process is at it
 */
export async function breakLock(
  path: string,
  deadId: string,
  guardIsDead: boolean,
  cleanUp?: (id: string) => Promise<void>,
): Promise<boolean> {
  const guard = `${path}.${deadId || "unknown"}.break`;
  try {
    await writeFile(guard, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    if (guardIsDead) await unlink(guard).catch(ignoreMissing);
    return false;
  }
  try {
    if ((await readHolder(path))?.id !== deadId) return true;
    if (deadId) {
      await cleanUp?.(deadId);
      await unlink(draftOf(path, deadId)).catch(ignoreMissing);
    }
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

export async function readHolder(path: string): Promise<Holder | undefined> {
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

/** Shows waiters that the holder lives. */
export async function touchLock(path: string): Promise<void> {
  const file = await open(path, constants.O_RDWR);
  const now = new Date();
  await file.utimes(now, now).finally(() => file.close());
}

export async function removeLock(path: string): Promise<void> {
  await unlink(path).catch(ignoreMissing);
}

function draftOf(path: string, id: string): string {
  return `${path}.${id}.new`;
}

function ignoreMissing(error: unknown): void {
  if (!isSystemError(error, "ENOENT")) throw error;
}
