import { createHash } from "node:crypto";
import { type Stats, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ownUid } from "../files/own-uid.js";
import { readRegularFile } from "../files/regular-file.js";
import { replaceFile } from "../files/replace-file.js";
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
  const kept = known.get(id) ?? (file === undefined ? undefined : readKept(file, id));
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

function readKept(file: string, id: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(readOwn(file));
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
function readOwn(path: string): string {
  const { bytes, stat } = readRegularFile(path, MAX_BYTES, { followLinks: false });
  if (process.platform !== "win32" && ((stat.mode & 0o022) !== 0 || !isOwn(path, stat)))
    throw new Error("It is not ours.");
  return bytes.toString("utf8");
}

/** What root keeps belongs to the owner of the folder, who must be able to go on with it. */
function isOwn(path: string, { uid }: Stats): boolean {
  const self = ownUid();
  return uid === self || (self === 0 && uid === statSync(dirname(path)).uid);
}

/** It is a copy: where it cannot be kept, nothing is lost. A link in its place is replaced, wherever it leads. */
async function keep(file: string, kept: Kept): Promise<void> {
  await replaceFile(file, JSON.stringify(kept), { followLinks: false }).catch(() => {});
}
