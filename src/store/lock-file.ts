import { constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, writeFile } from "node:fs/promises";
import { AuthError } from "../errors.js";
import { kindOf } from "../files/regular-file.js";
import { discard } from "../files/replace-file.js";
import { type LockOwner, thisProcess } from "./lock-owner.js";
import { isSystemError } from "./store-error.js";

/** What a lock file says, and a mark that changes whenever its holder touches it. */
export interface Holder {
  /** "" where the file names none (yet), or may not be read. */
  readonly id: string;
  readonly touched: string;
  readonly owner: LockOwner | undefined;
}

/** Nobody's pipe or link in a lock's place must hang us, or lead us elsewhere. */
const CAREFULLY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** What a lock says is shorter than this, in bytes. */
const MAX_BYTES = 4096;

/** Makes the lock file with its content at once; false where there is one already. */
export async function createLock(path: string, id: string): Promise<boolean> {
  const content = JSON.stringify({ id, ...thisProcess() });
  const draft = draftOf(path, id);
  try {
    await writeFile(draft, content, { flag: "wx", mode: 0o600 });
    return await linkOrSee(draft, path, id, content);
  } finally {
    await discard(draft);
  }
}

async function linkOrSee(draft: string, path: string, id: string, content: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    // Where a file server's answer was lost, and the question came again, our own lock is what is in the way.
    if ((await readHolder(path).catch(() => undefined))?.id === id) return true;
    if (isSystemError(error, "EEXIST")) return false;
    if (!isSystemError(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) throw error;
    // A file system without hard links: an exclusive create is atomic there, only its content comes a moment later.
    return createExclusively(path, content);
  }
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", 0o600);
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
  try {
    await file.writeFile(content).finally(() => file.close());
    return true;
  } catch (error) {
    await discard(path);
    throw error;
  }
}

/**
 * Removes the lock of a dead holder. A guard file named after that holder lets only one waiter do it; and what is
 * moved away is looked at once more, so that a lock that a quicker process has just made is put back.
 *
 * @param guardIsDead the guard, where there is one, was left by a process that died
 * @param cleanUp told the dead holder's id before its lock is removed
 * @returns false where another process is at it, or where this user may not
 */
export async function breakLock(
  path: string,
  dead: Holder,
  guardIsDead: boolean,
  cleanUp?: (id: string) => Promise<void>,
): Promise<boolean> {
  const guard = `${path}.${dead.id || "unknown"}.break`;
  try {
    await writeFile(guard, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST", "EACCES", "EPERM")) throw error;
    if (guardIsDead) await discard(guard);
    return false;
  }
  try {
    if (!isSame(await readHolder(path), dead)) return true;
    if (dead.id) {
      await cleanUp?.(dead.id);
      await discard(draftOf(path, dead.id));
    }
    const removed = `${guard}.old`;
    await rename(path, removed);
    if (!isSame(await readHolder(removed), dead)) await link(removed, path).catch(() => {});
    await discard(removed);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return true;
    if (isSystemError(error, "EACCES", "EPERM")) return false;
    throw error;
  } finally {
    await discard(guard);
  }
}

function isSame(holder: Holder | undefined, other: Holder): boolean {
  return holder?.id === other.id && holder.touched === other.touched;
}

/** @throws AuthError `store_locked` where something else is in the lock's place; the system's errors as they are */
export async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    // Opening it makes an NFS client ask the server: a bare stat may be answered from a cache a minute old.
    const file = await open(path, constants.O_RDONLY | CAREFULLY);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw noLock(path, kindOf(stat));
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return { touched: markOf(stat), ...parseHolder(buffer.toString("utf8", 0, bytesRead)) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESTALE")) return undefined;
    if (isSystemError(error, "ELOOP", "EMLINK")) throw noLock(path, "it is a symbolic link");
    if (isSystemError(error, "ENXIO", "EOPNOTSUPP")) throw noLock(path, "it is a socket");
    if (!isSystemError(error, "EACCES")) throw error;
    // Another user's, such as root's, who works with our file: whether it is touched can be seen all the same.
    const stat = await lstat(path).catch(() => undefined);
    return stat && { id: "", touched: markOf(stat), owner: undefined };
  }
}

function markOf({ ino, mtimeMs }: { ino: number; mtimeMs: number }): string {
  return `${ino} ${mtimeMs}`;
}

function noLock(path: string, what: string): AuthError {
  return new AuthError(
    "store_locked",
    `The lock of the token store cannot be taken: ${path} is in its place, and ${what}.`,
    {
      hint: `Remove ${path}, and find out who put it there.`,
    },
  );
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
  const file = await open(path, constants.O_RDWR | CAREFULLY);
  const now = new Date();
  await file.utimes(now, now).finally(() => file.close());
}

function draftOf(path: string, id: string): string {
  return `${path}.${id}.new`;
}
