import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { ownUid } from "./own-uid.js";

/** A file's content, and what the system says of it. */
export interface RegularFile {
  readonly bytes: Buffer;
  readonly stat: Stats;
}

// Opening a pipe that nobody writes to must not hang; where a system lacks a flag, it lacks such files, too.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
/** How often a file is opened anew that its file server has replaced in the meantime. */
const ATTEMPTS = 3;
/** The owner that systems show for one whom they do not know: on a squashed mount, in a container. */
const NOBODY = 65_534;

/**
 * Reads a file that anybody may have put there: it waits for nothing, and takes no more than `maxBytes`, whatever the
 * file claims to be.
 *
 * @param options.followLinks default true
 * @throws Error that says what is there instead of such a file; the system's errors as they are
 */
export function readRegularFile(
  path: string,
  maxBytes: number,
  { followLinks = true }: { followLinks?: boolean } = {},
): RegularFile {
  const flags = followLinks ? READ : READ | (constants.O_NOFOLLOW ?? 0);
  for (let attempt = 1; ; attempt++) {
    try {
      return readOnce(path, flags, maxBytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESTALE" || attempt === ATTEMPTS) throw error;
    }
  }
}

function readOnce(path: string, flags: number, maxBytes: number): RegularFile {
  const file = openSync(path, flags);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error(kindOf(stat));
    return { bytes: readBounded(file, stat.size, maxBytes), stat };
  } finally {
    closeSync(file);
  }
}

/** What is no file, in words. */
export function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "it is a folder";
  if (stat.isSymbolicLink()) return "it is a symbolic link";
  if (stat.isFIFO()) return "it is a pipe";
  return stat.isSocket() ? "it is a socket" : "it is a device";
}

/** Files grow, and some that have no size have no end. */
function readBounded(file: number, size: number, maxBytes: number): Buffer {
  if (size > maxBytes) throw tooLarge(maxBytes);
  let bytes = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const read = readSync(file, bytes, length, bytes.length - length, null);
    if (read === 0) return bytes.subarray(0, length);
    length += read;
    if (length > maxBytes) throw tooLarge(maxBytes);
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, maxBytes + 1));
  }
}

function tooLarge(maxBytes: number): Error {
  return new Error(`it is larger than ${Math.round(maxBytes / 1024)} kB`);
}

/** Whether a file or folder belongs to somebody who could be after this user's tokens. Never so for root, nor on Windows. */
export function isForeign({ uid }: Stats): boolean {
  const self = ownUid();
  return self !== undefined && self !== 0 && uid !== self && uid !== 0 && uid !== NOBODY;
}

const STICKY = 0o1000;

/**
 * Whether something in a folder for all, such as /tmp, is there at another user's will. Judged as Linux does where
 * `fs.protected_symlinks` and `fs.protected_regular` are on; they are not everywhere.
 */
export function isPlanted({ uid }: Stats, folder: Stats, self = ownUid()): boolean {
  const forAll = isSticky(folder) && (folder.mode & 0o002) !== 0;
  return forAll && uid !== self && uid !== folder.uid;
}

/** Whether nobody but its owner, and the folder's, replaces what is in a folder. */
export function isSticky({ mode }: Stats): boolean {
  return (mode & STICKY) !== 0;
}

/** Whether others than this user, its own group and root may change a file, or what a folder holds. */
export function othersMayWrite(stat: Stats): boolean {
  if (process.platform === "win32") return false;
  // Many systems give each user a group of their own, with the user's number.
  const ownGroup = stat.gid === stat.uid && stat.uid === (ownUid() ?? stat.uid);
  return isForeign(stat) || (stat.mode & (ownGroup ? 0o002 : 0o022)) !== 0;
}
