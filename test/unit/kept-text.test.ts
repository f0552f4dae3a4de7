import fc from "fast-check";
import { expect, it } from "vitest";
import { changedText } from "../../src/store/kept-text.js";

const KEYS = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "1", "0", "", "a,b", '{"', "]}", "\\", "\u2028"),
  fc.string({ unit: "grapheme" }),
);

/** An object as JSON.parse makes it: also with a member that is called `__proto__`. */
const OBJECTS = fc
  .array(fc.tuple(KEYS, fc.jsonValue()), { maxLength: 8 })
  .map((members) => Object.fromEntries(members) as Record<string, unknown>);

const INDENTS = fc.constantFrom(undefined, 1, 2, "\t");

const change = (
  before: Record<string, unknown>,
  edit: (members: Map<string, unknown>) => void,
  text: string,
) => {
  const members = new Map(Object.entries(before));
  edit(members);
  return changedText(members, before, text);
};

it("what is changed, added and removed is so, and all else as it was", () => {
  fc.assert(
    fc.property(OBJECTS, INDENTS, KEYS, fc.jsonValue(), KEYS, (made, indent, set, value, removed) => {
      const text = JSON.stringify(made, null, indent);
      const before = JSON.parse(text) as Record<string, unknown>;
      const result = change(
        before,
        (members) => {
          members.set(set, value);
          members.delete(removed);
        },
        text,
      );
      const expected = new Map(Object.entries(before)).set(set, JSON.parse(JSON.stringify(value)));
      expected.delete(removed);
      expect(new Map(Object.entries(JSON.parse(result)))).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

it("what is not changed keeps its very text", () => {
  fc.assert(
    fc.property(OBJECTS, INDENTS, (made, indent) => {
      const text = JSON.stringify(made, null, indent);
      const before = JSON.parse(text) as Record<string, unknown>;
      const once = change(before, (members) => members.set("added", 1), text);
      for (const [key, value] of Object.entries(made)) {
        if (key !== "added") expect(once).toContain(`${JSON.stringify(key)}: ${memberText(value, indent)}`);
      }
      // And nothing moves any more.
      expect(change(JSON.parse(once), () => {}, once)).toBe(once);
    }),
    { numRuns: 1000 },
  );
});

/** How a value stands one level deep in a text. */
function memberText(value: unknown, indent: string | number | undefined): string {
  const whole = JSON.stringify({ x: value }, null, indent);
  return whole.slice(whole.indexOf(":") + 1, -1).trim();
}

it.each([
  ["digits beyond a double", '{"a": 12345678901234567890.10, "b": 1}', '"a": 12345678901234567890.10'],
  ["numbers too large for one", '{"a": 1e999, "b": 1}', '"a": 1e999'],
  ["escapes", '{"\\u0061": "\\u00e4\\/", "b": 1}', '"\\u0061": "\\u00e4\\/"'],
  [
    "the order of keys that look like numbers",
    '{"z": 0, "2": 1, "1": 2, "b": 1}',
    '"z": 0,\n  "2": 1,\n  "1": 2',
  ],
  ["what is written twice", '{"a": 1, "a": 2, "b": 1}', '"a": 1,\n  "a": 2'],
  ["members of a member that changes", '{"b": {"x": 1.50, "y": 2}}', '"x": 1.50'],
])("keeps %s", (_name, text, kept) => {
  const result = change(
    JSON.parse(text),
    (members) => {
      const b = members.get("b");
      members.set("b", typeof b === "object" ? { ...b, y: 3 } : 2);
    },
    text,
  );
  expect(result).toContain(kept);
  expect(JSON.parse(result)).toEqual({ ...JSON.parse(text), b: expect.anything() });
});

it("a key that is written twice is written once when it is changed, and not at all when it is removed", () => {
  const text = '{"a": 1, "c": 3, "a": 2}';
  expect(change(JSON.parse(text), (members) => members.set("a", 9), text)).toBe('{\n  "c": 3,\n  "a": 9\n}');
  expect(change(JSON.parse(text), (members) => members.delete("a"), text)).toBe('{\n  "c": 3\n}');
});
