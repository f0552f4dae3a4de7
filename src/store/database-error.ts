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

/** Entries by the text that each was read from. */
const texts = new WeakMap<Entry, string>();

/** Reads an entry's text; `undefined` where it is damaged. */
export function readEntry(text: string): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(text);
    if (!isRecord(entry) || !isRecord(entry["token"])) return undefined;
    const read = entry as unknown as Entry;
    texts.set(read, text);
    return read;
  } catch {
    return undefined;
  }
}

/** The text of an entry, as a database compares it: others may have written it, with other blanks or escapes than ours. */
export function textOf(entry: Entry): string {
  return texts.get(entry) ?? JSON.stringify(entry);
}

/** Reads an entry's text. @throws AuthError `store_unreadable`, which does not quote it as the parser does */
export function parseEntry(text: string, key: string, where: string): Entry {
  const entry = readEntry(text);
  if (entry) return entry;
  throw new AuthError("store_unreadable", `The entry for ${key} in ${where} is damaged.`, {
    hint: "Remove it there, and log in again.",
  });
}
