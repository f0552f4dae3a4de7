import { isRecord } from "../jwt.js";
import type { Entry } from "./backend.js";

/**
 * What a store file holds. `map`: the Python client's layout, an entry for each key. `bare`: one token object, as a
 * CLI prints it with `--json`; it serves whatever key is asked for.
 */
export interface StoreDocument {
  readonly layout: "map" | "bare";
  /** Values as they stand in the file: what is not an entry is kept all the same. */
  readonly values: Map<string, unknown>;
}

/** The key under which the one token of a bare file is held. */
export const ANY_KEY = "*";

export function emptyDocument(): StoreDocument {
  return { layout: "map", values: new Map() };
}

/** Reads a file's text; `undefined` where it is not a store. */
export function parseDocument(text: string): StoreDocument | undefined {
  // An editor's byte order mark is no reason to lose a login; an empty file holds nothing to lose.
  const json = text.replace(/^\ufeff/, "").trim();
  if (json === "") return emptyDocument();
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(content)) return undefined;
  if (typeof content["access_token"] !== "string") {
    return { layout: "map", values: new Map(Object.entries(content)) };
  }
  const { stored_at, refresh_lost_at, ...token } = content;
  const entry: Entry = {
    token,
    ...(typeof stored_at === "number" && { stored_at }),
    ...(typeof refresh_lost_at === "number" && { refresh_lost_at }),
  };
  return { layout: "bare", values: new Map([[ANY_KEY, entry]]) };
}

export function serialiseDocument(document: StoreDocument): string {
  return `${JSON.stringify(documentContent(document), null, 2)}\n`;
}

function documentContent({ layout, values }: StoreDocument): unknown {
  if (layout === "map") return Object.fromEntries(values);
  const entry = values.get(ANY_KEY);
  if (!isStoredEntry(entry)) return {};
  const { token, stored_at, refresh_lost_at } = entry;
  return {
    ...token,
    ...(stored_at !== undefined && { stored_at }),
    ...(refresh_lost_at !== undefined && { refresh_lost_at }),
  };
}

/** Whether a value of the file can be an entry; whether its token is usable is for others to judge. */
export function isStoredEntry(value: unknown): value is Entry {
  return isRecord(value) && isRecord(value["token"]);
}
