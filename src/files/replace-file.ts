import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { keepOwner, makeFolder } from "./file-owner.js";

const OVERWRITE = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
/** Pauses (milliseconds) before a rename that failed for a moment is tried again. */
const PAUSES_MS = [10, 40, 160];

/** Follows symbolic links, so that a linked file stays one; also one that leads to where there is no file yet. */
export async function throughLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const folder = await realpath(dirname(path));
  const leadsTo = await readlink(path).catch(() => undefined);
  return leadsTo === undefined ? join(folder, basename(path)) : throughLinks(resolve(folder, leadsTo));
}

/**
 * Puts a text in a file's place, in one step and with mode 0600; makes its folder where there is none.
 *
 * @param options.followLinks whether a linked file stays one. Default true
 */
export async function replaceFile(
  path: string,
  text: string,
  { followLinks = true }: { followLinks?: boolean } = {},
): Promise<void> {
  await makeFolder(dirname(path));
  const place = followLinks ? await throughLinks(path) : path;
  const draft = `${place}.${randomBytes(12).toString("hex")}.tmp`;
  try {
    await writeDraft(draft, place, text);
    await putInPlace(draft, place);
  } finally {
    await discard(draft);
  }
}

/**
 * Writes the file that is to replace another one, for the same owner, and returns when it is on the disk.
 *
 * @param options.reuse a draft that is there already
 */
export async function writeDraft(
  draft: string,
  place: string,
  text: string,
  { reuse = false }: { reuse?: boolean } = {},
): Promise<void> {
  const file = await open(draft, reuse ? OVERWRITE : "wx", 0o600);
  try {
    await keepOwner(file, place);
    const bytes = Buffer.from(text);
    await file.writeFile(bytes);
    await file.truncate(bytes.length);
    await flush(file);
  } finally {
    await file.close();
  }
}

/** Some file systems know no flushing; that is no reason to keep nothing. */
async function flush(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error))) throw error;
  }
}

/**
 * Renames a draft that is on the disk over a file. What fails for a moment (an NFS server, a virus scanner) is tried
 * again. A file that cannot be replaced, as it was mounted into a container by itself, is written in place.
 */
export async function putInPlace(draft: string, path: string): Promise<void> {
  // Some file systems number their files beyond what a double tells apart.
  const { dev, ino } = await stat(draft, { bigint: true });
  for (const pause of [...PAUSES_MS, undefined]) {
    try {
      await rename(draft, path);
      break;
    } catch (error) {
      // Where the answer of a file server was lost, what it was asked for is done all the same.
      const now = await stat(path, { bigint: true }).catch(() => undefined);
      if (now?.ino === ino && now.dev === dev) break;
      const code = codeOf(error);
      if (pause !== undefined && isPassing(code)) {
        await new Promise((done) => setTimeout(done, pause));
      } else if (code === "EBUSY" || code === "EXDEV") {
        await overwrite(draft, path);
        break;
      } else throw error;
    }
  }
  await syncFolder(dirname(path));
}

/**
 * Beside a file that is marked immutable, or mounted by itself for reading only, drafts can be made as ever; they
 * could only not be put in its place.
 *
 * @throws what the system says then
 */
export async function assertReplaceable(path: string): Promise<void> {
  try {
    await (await open(path, OVERWRITE)).close();
  } catch (error) {
    // One of mode 0400 can be replaced all the same: that is for its folder to say.
    if (!["ENOENT", "EACCES"].includes(codeOf(error))) throw error;
  }
}

function isPassing(code: string): boolean {
  const onWindows = process.platform === "win32" && (code === "EPERM" || code === "EACCES");
  return code === "EBUSY" || code === "ESTALE" || code === "EAGAIN" || onWindows;
}

/**
 * Writes a file in place. It holds the old or the new state whenever this is broken off, apart from the moment of one
 * write: blanks make it long enough before, and are cut off behind the text.
 */
async function overwrite(draft: string, path: string): Promise<void> {
  const text = await readBytes(draft);
  const file = await open(path, OVERWRITE);
  try {
    const { size } = await file.stat();
    const blanks = Buffer.alloc(Math.abs(text.length - size), "\n");
    try {
      if (text.length > size) await writeAll(file, blanks, size);
      await flush(file);
    } catch (error) {
      await file.truncate(size);
      throw error;
    }
    await writeAll(file, text.length < size ? Buffer.concat([text, blanks]) : text, 0);
    await file.truncate(text.length);
    await flush(file);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readBytes(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY);
  return file.readFile().finally(() => file.close());
}

/** A rename is durable once its folder is; not every platform lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself was flushed: at worst a crash of the machine shows the old state.
  }
}

/** Removes a temporary file. Never fails: what is left is removed as litter later. @returns whether it is gone */
export async function discard(path: string): Promise<boolean> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const failed = await unlink(path).catch((error: unknown) => error);
    if (failed === undefined || codeOf(failed) === "ENOENT") return true;
  }
  return false;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}
