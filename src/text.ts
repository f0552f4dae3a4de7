/** What may stand in text from elsewhere before it is shown or stored in an error. */

/** C0 and C1 controls, line and paragraph separators, bidi controls, zero-width and tag characters, lone surrogates. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udc7f]/g;

const DEFAULT_LENGTH = 300;

/** One line of plain text: controls become blanks, what is longer than `length` characters is cut. */
export function cleanText(text: string, length = DEFAULT_LENGTH): string {
  // Cut first, so that a megabyte from a hostile server costs nothing.
  const line = text
    .slice(0, length * 4)
    .replace(UNSAFE, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** Text without the given secrets: what we sent must not come back out in an error. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 6) clean = clean.split(secret).join("[hidden]");
  }
  return clean;
}
