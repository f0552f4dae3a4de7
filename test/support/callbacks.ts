import fc from "fast-check";
import { HOSTILE_TEXTS } from "./hostile-text.js";

/** What a stranger may write into a callback. */

export const REDIRECT = "http://localhost:53100/callback";

/** Text of any kind, also halves of characters. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(...Object.values(HOSTILE_TEXTS), ""),
);
/** What a URL can bear: what is half a character becomes another one there. */
export const urlText = anyText.map((text) => Buffer.from(text).toString());

/** Names of parameters that count, and such as look like them. */
export const CALLBACK_NAMES: readonly string[] =
  "state code error error_description iss response State state[] __proto__".split(" ");

/** Parameters in which the state may stand never, once, twice, or nearly. */
export const pairs = (state: string) =>
  fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...CALLBACK_NAMES) },
        { weight: 1, arbitrary: urlText },
      ),
      fc.oneof(
        { weight: 2, arbitrary: urlText },
        { weight: 1, arbitrary: fc.constantFrom(state, `${state} `, state.slice(1)) },
      ),
    ),
    { maxLength: 6 },
  );

export function callbackWith(all: readonly (readonly [string, string])[]): URL {
  const url = new URL(REDIRECT);
  for (const [name, value] of all) url.searchParams.append(name, value);
  return url;
}
