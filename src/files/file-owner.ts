import { type FileHandle, lchown, lstat, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isPlanted } from "./regular-file.js";

// A process of root, as under `sudo`, works with files of other users, who must be able to go on with them. That it is
// root's is seen by whose its new files are: it is told everywhere, and no permission is asked for (Deno).

/**
 * Makes a folder for this user alone, and those above it. What root makes belongs to whom the folder around it belongs.
 * Step by step: where a system denies that a folder can be (`/proc`, a home that is not mounted), Node's own
 * `recursive` tries for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  let made: boolean;
  try {
    made = await makeOne(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    made = await makeOne(path);
  }
  if (!made || process.platform === "win32" || (await stat(path)).uid !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  if (uid !== 0) await lchown(path, uid, gid);
}

/** @returns whether it was not there yet */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return false;
    throw error;
  }
}

/**
 * Gives a new file to the owner of the one that it is to replace; where there is none and root makes it, to the
 * owner of the folder.
 *
 * @throws Error where that is not for us to do: the file would be taken from its owner; or root would give away what it
 *   writes, to whoever was the first to put something into a folder for all
 */
export async function keepOwner(file: FileHandle, place: string): Promise<void> {
  if (process.platform === "win32") return;
  const { uid } = await file.stat();
  const owner = await lstat(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return uid === 0 ? stat(dirname(place)) : undefined;
  });
  if (!owner || owner.uid === uid) return;
  if (uid === 0 && isPlanted(owner, await stat(dirname(place)), uid))
    throw new Error("another user put it into a folder for all");
  await file.chown(owner.uid, owner.gid).catch((cause: unknown) => {
    const whose = `it belongs to another user (uid ${owner.uid})`;
    throw new Error(`${whose}, from whom it would be taken away`, { cause });
  });
}
