import { cleanText, HIDDEN, withoutTokens } from "./text.js";

/** What somebody else says, as far as it can be shown: without the given secrets, and without what looks like a token. */
export function openText(text: string, secrets: readonly string[] = [], length?: number): string {
  return cleanText(withoutTokens(withoutSecrets(text, secrets)), length);
}

/** Less (characters) is no secret, and may be part of many a word. */
const SHORTEST_SECRET = 6;
const MAX_LENGTH = 10_000;

/**
 * Text without the given secrets: what we sent must not come back out in an error. Where it comes back in another
 * writing (percent signs, JSON, HTML, base64, hex) nothing of the text is shown.
 */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const long = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    // One may be the beginning of another, whose rest would stay.
    .sort((one, other) => other.length - one.length);
  // A megabyte from a hostile server is not searched: no more than this is ever shown.
  let clean = text.slice(0, MAX_LENGTH);
  for (const secret of long) clean = clean.split(secret).join(HIDDEN);
  if (long.length === 0) return clean;
  const read = [decoded(clean), decoded(clean.replaceAll("+", " "))];
  const shows = (secret: string) =>
    read.some((one) => one.includes(secret)) || encodings(secret).some((one) => clean.includes(one));
  return long.some(shows) ? HIDDEN : clean;
}

/** How often an escaped text may be escaped anew, by those that pass it on. */
const MAX_NESTING = 3;

function decoded(text: string): string {
  let plain = text;
  for (let depth = 0; depth < MAX_NESTING; depth++) {
    const once = unescaped(plain);
    if (once === plain) break;
    plain = once;
  }
  return plain;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Without one layer of percent signs, of JSON's and of HTML's escapes, whichever there are. */
function unescaped(text: string): string {
  const character = (code: number) => (code <= 0x10_ffff ? String.fromCodePoint(code) : "");
  return text
    .replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll("%", ""), "hex").toString())
    .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => character(Number.parseInt(code, 16)))
    .replace(/\\(["\\/])/g, "$1")
    .replace(/&#x([0-9a-f]{1,6});/gi, (_, code: string) => character(Number.parseInt(code, 16)))
    .replace(/&#(\d{1,7});/g, (_, code: string) => character(Number(code)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? "");
}

/** A secret in hex and in base64, also as part of something longer: what of it does not depend on what stands around. */
function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const parts = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Whole groups of three bytes that are all the secret's own.
    const [first, last] = [before === 0 ? 0 : 4, Math.floor((before + bytes.length) / 3) * 4];
    return text.slice(first, last);
  });
  const base64 = parts.filter((part) => part.length >= SHORTEST_SECRET);
  return [
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
    ...base64.map((part) => part.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}
