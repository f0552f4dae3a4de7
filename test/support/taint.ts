import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";

/** A secret, known by its marks: where one of them stands in any writing, the secret, or a part of it, has leaked. */
interface Secret {
  readonly name: string;
  readonly value: string;
  readonly needles: readonly string[];
}

/** What was found where. */
export interface Leak {
  readonly secret: string;
  readonly place: string;
  /** What stands around it. */
  readonly excerpt: string;
}

/** Texts, objects and errors to be searched, by where they are from. */
export type Places = Readonly<Record<string, unknown>>;

/** What every mark begins with: so a text without it, in any writing, is soon done with, and a part of a secret is found. */
const SIGN = "mk7qz2";
/** Shorter parts of what others have made are found by chance. */
const PART_LENGTH = 16;

/**
 * Secrets that can be recognised: each begins and ends with a mark of its own that no writing (percent signs, JSON,
 * HTML) changes, and has characters between that each of them writes in another way.
 */
export class Taint {
  readonly #secrets = new Map<string, Secret>();

  /** A new secret. @param middle what stands between its marks */
  make(name: string, middle = `/+"%~\\=${name.replace(/\W/g, "")}&`): string {
    const [first, last] = [mark(), mark()];
    return this.#add(name, first + middle + last, [first, last]);
  }

  /** A new secret as servers make them: long words, so that it is known as a token also by whoever has not seen it. */
  token(name: string): string {
    return this.make(name, `${randomBytes(20).toString("hex")}-._~+/=${randomBytes(20).toString("hex")}`);
  }

  /** A secret that somebody else has made: known by its whole and by its ends; of a JWT by its claims and signature. */
  add(name: string, value: string): string {
    const parts = value.split(".").length === 3 ? value.split(".").slice(1) : [value];
    const ends = parts.flatMap((part) =>
      part.length > 2 * PART_LENGTH ? [part.slice(0, PART_LENGTH), part.slice(-PART_LENGTH)] : [part],
    );
    return this.#add(name, value, ends);
  }

  /** Bytes that are a secret, such as those of a key, wherever they stand. */
  bytes(name: string, value: Uint8Array): void {
    this.#secrets.set(Buffer.from(value).toString("hex"), {
      name,
      value: "",
      needles: writings(value).slice(1),
    });
  }

  #add(name: string, value: string, marks: readonly string[]): string {
    if (value !== "")
      this.#secrets.set(value, { name, value, needles: marks.flatMap((one) => writings(one)) });
    return value;
  }

  /** The values of the secrets whose name begins so. */
  named(prefix: string): string[] {
    return [...this.#secrets.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ value }) => value);
  }

  /**
   * Searches everything, in every form that it can be printed in.
   *
   * @param allowed names of secrets, by their beginning, that may stand there
   */
  leaks(places: Places, allowed: readonly string[] = []): Leak[] {
    const secrets = [...this.#secrets.values()];
    const may = ({ name }: Secret) => allowed.some((one) => name.startsWith(one));
    const open = secrets.filter(may).flatMap(({ needles }) => needles);
    const hidden = secrets.filter((secret) => !may(secret));
    return Object.entries(places).flatMap(([place, content]) =>
      formsOf(content).flatMap((form) => {
        const text = open.reduce((rest, needle) => rest.split(needle).join(""), form);
        return hidden.flatMap((secret) => leaksIn(text, secret, place)).concat(partsIn(text, place));
      }),
    );
  }
}

function leaksIn(text: string, { name, needles }: Secret, place: string): Leak[] {
  const needle = needles.find((one) => text.includes(one));
  return needle === undefined ? [] : [{ secret: name, place, excerpt: around(text, needle) }];
}

/** The beginning of a mark whose rest is missing. */
function partsIn(text: string, place: string): Leak[] {
  return text.includes(SIGN) ? [{ secret: "a part of one", place, excerpt: around(text, SIGN) }] : [];
}

function around(text: string, needle: string): string {
  const at = text.indexOf(needle);
  return text.slice(Math.max(0, at - 100), at + needle.length + 40);
}

/** Random letters and digits, which every writing leaves as they are. */
function mark(): string {
  return SIGN + randomBytes(5).toString("hex");
}

/** A mark as it is, in hex, and in base64 as a part of something longer, at each of the three offsets. */
function writings(text: string | Uint8Array): string[] {
  const bytes = Buffer.from(text as string);
  const base64 = [0, 1, 2].map((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return all.slice(before === 0 ? 0 : 4, Math.floor((before + bytes.length) / 3) * 4);
  });
  const url = base64.map((one) => one.replaceAll("+", "-").replaceAll("/", "_"));
  return [
    ...new Set([String(text), bytes.toString("hex"), bytes.toString("hex").toUpperCase(), ...base64, ...url]),
  ];
}

/** All that a value can be printed as. */
function formsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  const forms = [
    inspect(value, { showHidden: true, depth: 10, getters: true, maxStringLength: null }),
    String(value),
  ];
  forms.push(json(value));
  for (let one = value; one instanceof Error; one = one.cause) {
    forms.push(one.message, one.stack ?? "", json(one), json({ ...one }));
  }
  return forms;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // What refers to itself has no JSON.
    return "";
  }
}

/** The text of every file below a folder, by its path. @param except paths that are not read */
export function filesBelow(folder: string, except: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (lstatSync(path).isFile() && !except.includes(path)) found[path] = readFileSync(path, "latin1");
  }
  return found;
}
