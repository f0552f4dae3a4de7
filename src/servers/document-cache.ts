import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isRecord } from "../jwt.js";

/** For how long (milliseconds) what a server says of itself is believed. */
const LIFETIME_MS = 24 * 3600 * 1000;

/** A document larger than this is none. */
const MAX_BYTES = 1024 * 1024;

interface Kept {
  readonly id: string;
  readonly content: unknown;
  /** Unix milliseconds at which it was read. */
  readonly readAt: number;
}

/** Documents of this process, by what they are of. */
const known = new Map<string, Kept>();

export interface DocumentCache<T> {
  /** What the document is of: an issuer, an API. */
  readonly id: string;
  /** Where documents are kept between runs; `undefined`: nowhere. */
  readonly folder: string | undefined;
  /** Unix milliseconds. */
  readonly now: number;
  /** Checks what another process has kept; `undefined`: it is not believed. */
  parse(content: unknown): T | undefined;
  read(): Promise<T>;
}

/** A public document as this process, or another one that shares the folder, read it within a day; else read now. */
export async function cachedDocument<T>(cache: DocumentCache<T>): Promise<T> {
  const { id, now } = cache;
  const file = fileOf(cache);
  const kept = known.get(id) ?? (file === undefined ? undefined : await readKept(file, id));
  const age = kept ? now - kept.readAt : Number.POSITIVE_INFINITY;
  const content = kept && age >= 0 && age < LIFETIME_MS ? cache.parse(kept.content) : undefined;
  if (kept && content !== undefined) {
    known.set(id, kept);
    return content;
  }
  const fresh = await cache.read();
  const keeping: Kept = { id, content: fresh, readAt: now };
  known.set(id, keeping);
  if (file !== undefined) await keep(file, keeping);
  return fresh;
}

/** Forgets a document, as what it said does not seem to hold any more. */
export async function forgetDocument(id: string, folder: string | undefined): Promise<void> {
  known.delete(id);
  const file = fileOf({ id, folder });
  if (file !== undefined) await rm(file, { force: true }).catch(() => {});
}

/** Forgets what this process knows, so that it is as a new one. */
export function forgetAllDocuments(): void {
  known.clear();
}

function fileOf({ id, folder }: { id: string; folder: string | undefined }): string | undefined {
  if (folder === undefined) return undefined;
  return join(folder, `oidc-discovery-${createHash("sha256").update(id).digest("hex").slice(0, 24)}.json`);
}

async function readKept(file: string, id: string): Promise<Kept | undefined> {
  try {
    const kept: unknown = JSON.parse(await readOwn(file));
    if (!isRecord(kept) || kept["id"] !== id || typeof kept["readAt"] !== "number") return undefined;
    return { id, content: kept["content"], readAt: kept["readAt"] };
  } catch {
    return undefined;
  }
}

/**
 * A file that nobody but this user can have written: it says where secrets are sent. A link is not followed.
 * @throws where it is another one's
 */
async function readOwn(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const { mode, uid, size } = await file.stat();
    const others = process.platform !== "win32" && ((mode & 0o022) !== 0 || uid !== process.getuid?.());
    if (others || size > MAX_BYTES) throw new Error("It is not ours.");
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** Written aside and renamed, so that nobody reads half of it. It is a copy: where it cannot be kept, nothing is lost. */
async function keep(file: string, kept: Kept): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(aside, JSON.stringify(kept), { mode: 0o600, flag: "wx" });
    await rename(aside, file);
  } catch {
    await rm(aside, { force: true }).catch(() => {});
  }
}
