import { AuthError } from "../errors.js";
import { foreignCause, foreignMessage } from "../foreign-error.js";
import { isRecord } from "../jwt.js";
import type { Entry } from "./backend.js";

/** The error for a database that failed. */
export function unavailable(where: string, error: unknown, hint: string): AuthError {
  const said = foreignMessage(error);
  const cause = foreignCause(error);
  return new AuthError("store_unavailable", `The token store, ${where}, failed: ${said}.`, { cause, hint });
}

/** Reads an entry's text. @throws AuthError `store_unreadable`, which does not quote it as the parser does */
export function parseEntry(text: string, key: string, where: string): Entry {
  try {
    const entry: unknown = JSON.parse(text);
    if (isRecord(entry) && isRecord(entry["token"])) return entry as unknown as Entry;
  } catch {
    // Told below.
  }
  throw new AuthError("store_unreadable", `The entry for ${key} in ${where} is damaged.`, {
    hint: "Remove it there, and log in again.",
  });
}
