import { AuthError } from "../errors.js";

/** Whether something caught is an error of the system, of one of the given codes. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" && (codes.length === 0 || codes.includes(code));
}

export function unreadable(path: string, error: unknown): AuthError {
  return new AuthError("store_unreadable", `The token store ${path} cannot be read: ${reason(error)}.`, {
    cause: error,
  });
}

export function unwritable(path: string, error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  return new AuthError("store_unwritable", `The token store ${path} cannot be written: ${reason(error)}.`, {
    cause: error,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "access is not permitted",
  EPERM: "access is not permitted",
  EROFS: "its file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ENOENT: "its folder does not exist",
  ELOOP: "it is a loop of symbolic links",
  EIO: "the disk reports an error",
};

function reason(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : "for an unknown reason";
  return REASONS[error.code ?? ""] ?? `the system reports ${error.code}`;
}
