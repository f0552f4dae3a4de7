import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { AuthError } from "../errors.js";

/** Whether something caught is an error of the system, of one of the given codes. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" && (codes.length === 0 || codes.includes(code));
}

/** How often a file is looked for that was not there, and then is. */
const ATTEMPTS = 3;

/**
 * Reads a file that others may make, or replace, at this very moment.
 *
 * @returns undefined where there is none
 * @throws AuthError `store_unreadable`, and what `read` throws of that kind
 */
export function readIfThere<T>(path: string, read: () => T): T | undefined {
  for (let attempt = 1; ; attempt++) {
    try {
      return read();
    } catch (error) {
      if (error instanceof AuthError) throw error;
      const missing = isSystemError(error, "ENOENT");
      if (missing && !existsSync(path)) return undefined;
      if (!missing || attempt === ATTEMPTS) throw unreadable(path, error);
    }
  }
}

export function unreadable(path: string, error: unknown): AuthError {
  return new AuthError("store_unreadable", `The token store ${path} cannot be read: ${reason(error)}.`, {
    cause: error,
  });
}

export function unwritable(path: string, error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  const place = elsewhere(path, error);
  return new AuthError(
    "store_unwritable",
    `The token store ${path} cannot be written: ${reason(error)}${place && ` (${place})`}.`,
    { cause: error },
  );
}

/** The folder in which it failed, where that is not the one that is named already: a link leads there. */
function elsewhere(path: string, error: unknown): string {
  const failed = isSystemError(error) ? error.path : undefined;
  if (failed === undefined || failed.startsWith(dirname(path)) || path.startsWith(failed)) return "";
  return dirname(failed);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "access is not permitted",
  EPERM: "access is not permitted",
  EROFS: "its file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "files may not be so large here",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  EEXIST: "something else is in its place",
  ENOENT: "its folder does not exist",
  ENAMETOOLONG: "its path is too long",
  ELOOP: "it is a loop of symbolic links",
  ENXIO: "it is a socket or a device",
  EIO: "the disk reports an error",
  ESTALE: "its file server has lost sight of it",
  ETIMEDOUT: "its file server does not answer",
  EMFILE: "this process has too many files open",
  ENFILE: "this machine has too many files open",
};

function reason(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : "for an unknown reason";
  return REASONS[error.code ?? ""] ?? `the system reports ${error.code}`;
}
