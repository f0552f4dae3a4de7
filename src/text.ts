/** What may stand in text from elsewhere before it is shown or stored in an error. */

/**
 * What is not seen, or moves what is: controls, formats (bidi, zero width, tags), halves of surrogate pairs, what has no
 * meaning (yet), all separators, and what is left out by whoever does not know it (fillers, variations).
 */
// In a function, as making it takes time that a reused token does not have.
const unseen = (): RegExp => /[\p{C}\p{Z}\p{DI}]/gu;
/** Marks without end on one letter are drawn over the lines above and below. */
const stacked = (): RegExp => /(\p{M}{4})(\p{M}+)/gu;

const DEFAULT_LENGTH = 300;

/** One line of plain text: what is not seen becomes a blank, what is longer than `length` characters is cut. */
export function cleanText(text: string, length = DEFAULT_LENGTH): string {
  // Cut first, so that a megabyte from a hostile server costs nothing.
  const line = text
    .slice(0, length * 4)
    .replace(unseen(), " ")
    .replace(/ {2,}/g, " ")
    .replace(stacked(), "$1")
    .trim();
  if (line.length <= length) return line;
  // Not in the middle of a character.
  return `${line.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Text of several lines, whole: of what is not seen only line ends, tabs and blanks stay what they are. */
export function printable(text: string): string {
  return text.replace(unseen(), (one) => (one === "\n" || one === "\t" ? one : " ")).replace(stacked(), "$1");
}

/** JSON for programs that may well end up on a screen: what is not seen is escaped, which changes nothing of its value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(unseen(), (one) => (one === " " || one === "\n" ? one : escaped(one)))
    .replace(stacked(), (_all, kept: string, more: string) => kept + escaped(more));
}

function escaped(text: string): string {
  const units = text.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
}

/** What stands where a secret stood. */
export const HIDDEN = "[hidden]";

/**
 * Text with what may be a token hidden: a JWT, a long word with a digit in it, the credentials of an address, and JSON
 * that is quoted, from where it begins.
 */
export function withoutTokens(text: string): string {
  return text
    .replace(/\{\s*\\*["'][\s\S]*/, HIDDEN)
    .replace(/\S+/g, withoutCredentials)
    .replace(/\beyJ[\w-]+(\.[\w-]*)+|[\w~+=%-]{32,}(\.[\w~+=%-]+)*/g, (word) =>
      isOpaque(word) ? HIDDEN : word,
    );
}

/** A word without what stands before the @ of an address. By hand, as a pattern would take for ever on a hostile text. */
function withoutCredentials(word: string): string {
  const [start, end] = [word.indexOf("://"), word.lastIndexOf("@")];
  if (start < 0 || end < start) return word;
  const credentials = word.slice(start + 3, end);
  const isPath = credentials.includes("/") && !credentials.includes(":");
  return isPath ? word : `${word.slice(0, start)}://${HIDDEN}${word.slice(end)}`;
}

/** Words have no digits, but for those of names such as OAuth2; and an id that support asks for (a UUID) is no token. */
function isOpaque(word: string): boolean {
  return /\d/.test(word) && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word);
}
