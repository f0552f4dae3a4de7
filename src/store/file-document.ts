import { isRecord } from "../jwt.js";
import type { Entry } from "./backend.js";
import { serverSlot } from "./server-slot.js";

/** The key under which the one token of a bare file is held. */
export const ANY_KEY = "*";

/** A store larger than this is none. */
export const MAX_STORE_BYTES = 64 * 1024 * 1024;

/** Keys that need no second look: an origin in its normal form. */
const NORMAL = /^https?:\/\/[a-z0-9.-]+(:(?!80$|443$)\d+)?$/;

/** What a file holds, and the text it was read from. */
interface Source {
  readonly text: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** The members that a file is to hold, those that it held, and the text they were read from. */
export interface DocumentChange {
  readonly next: ReadonlyMap<string, unknown>;
  readonly before: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/**
 * What a store file holds. `map`: the Python client's layout, an entry for each key. `bare`: one token object, as a
 * CLI prints it with `--json`; it serves whatever key is asked for. What is not an entry is kept all the same.
 */
export class StoreDocument {
  readonly layout: "map" | "bare";
  readonly #values: Map<string, unknown>;
  readonly #source: Source;
  #byHand: ReadonlyMap<string, readonly string[]> | undefined;

  private constructor(layout: "map" | "bare", values: Map<string, unknown>, source: Source) {
    this.layout = layout;
    this.#values = values;
    this.#source = source;
  }

  static empty(): StoreDocument {
    return new StoreDocument("map", new Map(), { text: "{}", content: {} });
  }

  /** Reads a file; `undefined` where it is not a store. */
  static parse(bytes: Buffer): StoreDocument | undefined {
    const text = decode(bytes)?.trim();
    if (text === undefined) return undefined;
    // An empty file holds nothing to lose.
    if (text === "") return StoreDocument.empty();
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (!isRecord(content)) return undefined;
    const source = { text, content };
    if (typeof content["access_token"] !== "string") {
      return new StoreDocument("map", new Map(Object.entries(content)), source);
    }
    const { stored_at, refresh_lost_at, ...token } = content;
    const entry: Entry = {
      token,
      ...(typeof stored_at === "number" && { stored_at }),
      ...(typeof refresh_lost_at === "number" && { refresh_lost_at }),
    };
    return new StoreDocument("bare", new Map([[ANY_KEY, entry]]), source);
  }

  get(key: string): Entry | undefined {
    const value = this.#values.get(this.#keyOf(key));
    return isStoredEntry(value) ? value : undefined;
  }

  /** All entries, by their keys as they stand in the file. */
  entries(): [key: string, entry: Entry][] {
    return [...this.#values].filter((one): one is [string, Entry] => isStoredEntry(one[1]));
  }

  set(key: string, entry: Entry): void {
    const place = this.placeOf(key);
    const written = this.#keyOf(key);
    // Where a person wrote it in another form, it is from now on in the one that all clients know.
    if (written !== place) this.#values.delete(written);
    this.#values.set(place, entry);
  }

  /** Forgets a key in whatever form it is written: none of them must come to light when another goes. */
  delete(key: string): boolean {
    const found = [this.placeOf(key), ...this.#formsOf(key)].map((form) => this.#values.delete(form));
    return found.includes(true);
  }

  /** The keys of what is of no more use. The one token of a bare file is whoever's who put it there. */
  ended(gone: (entry: Entry) => boolean): string[] {
    if (this.layout === "bare") return [];
    return this.entries().flatMap(([key, entry]) => (gone(entry) ? [key] : []));
  }

  /** Removes what is of no more use. @returns whether there was any */
  prune(gone: (entry: Entry) => boolean): boolean {
    const ended = this.ended(gone);
    for (const key of ended) this.#values.delete(key);
    return ended.length > 0;
  }

  /** Where an entry is to stand, and the key by which all who change it exclude each other. */
  placeOf(key: string): string {
    return this.layout === "bare" ? ANY_KEY : key;
  }

  /** What is to be written in the place of what was read: who only reads need not know how. */
  change(): DocumentChange {
    const { text, content } = this.#source;
    return { next: this.layout === "bare" ? this.#bareMembers() : this.#values, before: content, text };
  }

  #bareMembers(): ReadonlyMap<string, unknown> {
    const entry = this.#values.get(ANY_KEY);
    if (!isStoredEntry(entry)) return new Map();
    const { token, stored_at = this.#source.content["stored_at"], refresh_lost_at } = entry;
    return new Map(Object.entries({ ...token, stored_at, refresh_lost_at }));
  }

  /** Under which key an entry stands: its own, else one that a person wrote and that means the same. */
  #keyOf(key: string): string {
    const place = this.placeOf(key);
    return this.#values.has(place) ? place : (this.#formsOf(key)[0] ?? place);
  }

  /** Other forms of a key that stand in the file. */
  #formsOf(key: string): readonly string[] {
    if (this.layout === "bare") return [];
    this.#byHand ??= writtenByHand(this.entries());
    return this.#byHand.get(key) ?? [];
  }
}

/** Keys as only people write them (`HTTPS://Auth.Example.org:443/`), by what they mean. */
function writtenByHand(entries: readonly [string, Entry][]): ReadonlyMap<string, readonly string[]> {
  const forms = new Map<string, string[]>();
  for (const [key, { server }] of entries) {
    // What names its server was written by us.
    if (server !== undefined || NORMAL.test(key)) continue;
    const meant = addressOf(key);
    if (meant !== undefined && meant !== key) forms.set(meant, [...(forms.get(meant) ?? []), key]);
  }
  return forms;
}

function addressOf(key: string): string | undefined {
  try {
    return serverSlot(key).server;
  } catch {
    return undefined;
  }
}

/** An editor's byte order mark is no reason to lose a login; nor is a shell that writes UTF-16 (PowerShell's `>`). */
function decode(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString("utf16le", 2);
  const text = bytes.toString("utf8");
  // Bytes that are no UTF-8 could not be written back as they were.
  if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) return undefined;
  return text.replace(/^\ufeff/, "");
}

/** Whether a value of the file can be an entry; whether its token is usable is for others to judge. */
function isStoredEntry(value: unknown): value is Entry {
  return isRecord(value) && isRecord(value["token"]);
}
