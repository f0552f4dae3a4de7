/**
 * What a terminal would make of a program's output: a judge of its own, which knows the few sequences that the program
 * itself writes, and takes everything else that is no plain text for an attack.
 */

const ESC = "\u001b";

/** Colours, the QR code's black on white, the cursor, the spinner's line, and links (OSC 8) to http(s). */
const OWN_SEQUENCES = new RegExp(
  [
    `${ESC}\\[(?:0|1|2|22|31|32|39)m`,
    `${ESC}\\[38;5;16;48;5;231m`,
    `${ESC}\\[\\?25[lh]`,
    `\\r${ESC}\\[2K`,
    `${ESC}\\]8;;(?:https?://[\\x21-\\x7e]+)?${ESC}\\\\`,
  ].join("|"),
  "g",
);

/** Controls, what is invisible, what turns the direction of writing, private use, tags, and what was broken in two. */
const TROUBLE = new RegExp(
  [
    "[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]",
    "[\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f]",
    "[\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\u3164]",
    "[\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ue000-\\uf8ff]",
    "[\\u{e0000}-\\u{e0fff}\\u{f0000}-\\u{10ffff}\\u{1d173}-\\u{1d17a}\\u{1bca0}-\\u{1bca3}]",
    "[\\ud800-\\udfff]",
    // More marks on one letter than any script has: they are drawn over other lines.
    "\\p{M}{5,}",
  ].join("|"),
  "gu",
);

/** Longer than the longest address that we show, with what stands around it. */
const LONGEST_LINE = 8300;
/** Longer than all that any command has to say. */
const LONGEST_OUTPUT = 60_000;

/** So many say it well enough. */
const ENOUGH = 20;

export interface ScreenOptions {
  /** A terminal writes a carriage return before each line end. */
  readonly terminal?: boolean;
  /** Texts that the program may put into the clipboard (OSC 52). */
  readonly copies?: readonly string[];
}

/** What in an output would do more than show lines of text; nothing where all is well. */
export function troubles(output: Uint8Array | string, options: ScreenOptions = {}): string[] {
  const found: string[] = [];
  let text = typeof output === "string" ? output : decode(output, found, options.terminal);
  for (const copy of options.copies ?? []) {
    text = text.replaceAll(`${ESC}]52;c;${Buffer.from(copy).toString("base64")}\u0007`, "");
  }
  text = text.replace(OWN_SEQUENCES, "");
  if (options.terminal) text = text.replace(/\r+\n/g, "\n").replace(/\r(?=\n|$)/g, "");
  for (const { 0: one, index } of text.matchAll(TROUBLE)) {
    if (found.length === ENOUGH) break;
    const around = JSON.stringify(text.slice(Math.max(0, index - 30), index + 30));
    found.push(`U+${one.codePointAt(0)?.toString(16).padStart(4, "0")} in ${around}`);
  }
  const long = text.split("\n").find((line) => line.length > LONGEST_LINE);
  if (long !== undefined) found.push(`a line of ${long.length} characters: ${long.slice(0, 60)}…`);
  if (text.length > LONGEST_OUTPUT) found.push(`${text.length} characters`);
  return found;
}

/** @param unfinished whether it may end in the middle of a character, as more is to come */
function decode(bytes: Uint8Array, found: string[], unfinished = false): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: unfinished });
  } catch {
    found.push("bytes that are no UTF-8");
    return Buffer.from(bytes).toString("latin1");
  }
}

/** What is a secret to us, and never shown: a server may write into it what it likes. */
const UNSHOWN = new Set(["deviceCode", "accessToken", "refreshToken", "idToken", "headers", "dpopKey"]);

/** What has lines of its own, or is a page. */
const OF_MANY_LINES = new Set(["hint", "page"]);

/** What in all texts of a value (names and values, however deep) would do more than be read on one line. */
export function troublesIn(...values: readonly unknown[]): string[] {
  return values.flatMap((value) => search("", value));
}

function search(name: string, value: unknown): string[] {
  if (typeof value === "string") {
    const lines = value.includes("\n") && !OF_MANY_LINES.has(name);
    return [
      ...troubles(value),
      ...(lines ? [`${name} has lines: ${JSON.stringify(value.slice(0, 60))}`] : []),
    ];
  }
  if (typeof value !== "object" || value === null) return [];
  const own = value instanceof Error ? { ...value, message: value.message, text: String(value) } : value;
  return Object.entries(own).flatMap(([key, one]) =>
    UNSHOWN.has(key) || key === "cause" ? [] : [...search("", key), ...search(key, one)],
  );
}
