import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuthError } from "../../src/errors.js";
import { renderPage } from "../../src/loopback/pages.js";
import { openText } from "../../src/secrets.js";
import { cleanText, printable, printableJson } from "../../src/text.js";
import { ALL_HOSTILE, HOSTILE_TEXTS } from "../support/hostile-text.js";
import { troubles } from "../support/screen.js";

/** Text from elsewhere, whatever it is: halves of characters, controls, what is invisible, and what we know as hostile. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc
    .array(
      fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      { maxLength: 100 },
    )
    .map((all) => all.join("")),
  fc
    .array(fc.constantFrom(...Object.values(HOSTILE_TEXTS), " ", "a", "ä", "é", "日本", "😀"), {
      maxLength: 20,
    })
    .map((all) => all.join("")),
);
const RUNS = { numRuns: 3000, seed: 42 };

describe("cleanText", () => {
  it("gives one line of text that changes nothing on a screen, and no more than was asked for", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 200 }), (text, length) => {
        const clean = cleanText(text, length);
        expect(troubles(clean)).toEqual([]);
        expect(clean).not.toContain("\n");
        expect(clean.length).toBeLessThanOrEqual(length);
        expect(clean).toBe(clean.trim());
      }),
      RUNS,
    );
  });

  it("changes nothing any more when it is done again, and nothing of plain text", () => {
    const plain = fc.array(fc.stringMatching(/^[\x21-\x7eäöüßéñ日本語Ελλάδа]{1,10}$/), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(anyText, plain, (text, words) => {
        const clean = cleanText(text, 50);
        expect(cleanText(clean, 50)).toBe(clean);
        expect(cleanText(words.join(" "))).toBe(words.join(" "));
      }),
      RUNS,
    );
  });

  it("takes a megabyte as quickly as a line", () => {
    expect(cleanText("\u001b[2J".repeat(300_000), 80).length).toBeLessThanOrEqual(80);
    expect(cleanText(" ".repeat(1_000_000))).toBe("");
    expect(cleanText("\u0301".repeat(1_000_000)).length).toBeLessThanOrEqual(4);
  });
});

describe("printable", () => {
  it("keeps lines and tabs, and nothing else that is not seen", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = printable(text);
        expect(troubles(safe.replaceAll("\t", " "))).toEqual([]);
        expect(safe.split("\n").length).toBe(text.split("\n").length);
      }),
      RUNS,
    );
  });
});

describe("printableJson", () => {
  it("is JSON of the very same value, in which nothing is that a screen would act on", () => {
    const value = fc.jsonValue({ stringUnit: "binary", maxDepth: 3 });
    fc.assert(
      fc.property(fc.oneof(value, anyText, fc.dictionary(anyText, anyText)), (one) => {
        const json = printableJson(one);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(one)));
        expect(troubles(json)).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe("an AuthError", () => {
  it("can be printed, whatever was put into it", () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const error = new AuthError("request_failed", text, {
          description: other,
          hint: text,
          serverCode: other,
        });
        for (const shown of [error.message, String(error), error.description ?? "", error.serverCode ?? ""])
          expect(troubles(shown)).toEqual([]);
        expect(troubles(error.hint.replaceAll("\t", " "))).toEqual([]);
        expect(error.message).not.toContain("\n");
      }),
      RUNS,
    );
    expect(new AuthError("request_failed", ALL_HOSTILE.repeat(1000)).message.length).toBeLessThanOrEqual(
      2000,
    );
  });
});

describe("openText", () => {
  it("leaves no secret of six characters or more, however often and wherever it stands", () => {
    const secret = fc.string({ minLength: 6, maxLength: 20 }).filter((one) => !one.includes(" "));
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 5 }), secret, (around, one) => {
        fc.pre(!"[hidden]".includes(one));
        expect(openText(around.join(one), [one])).not.toContain(one);
      }),
      RUNS,
    );
  });
});

describe("the pages that a browser ends on", () => {
  /** What a browser makes of a page: the tags with their attributes, and the text. */
  function parsed(html: string): { tags: string[]; text: string } {
    const tags = html.match(/<[^>]*>/g) ?? [];
    return { tags, text: html.replace(/<style>[\s\S]*?<\/style>|<[^>]*>/g, "") };
  }
  const KINDS = ["success", "denied", "error", "ignored"] as const;

  it("are made of our tags and attributes alone, whatever text is put into them", () => {
    const frame = (kind: (typeof KINDS)[number]) =>
      parsed(renderPage({ kind, title: "t", message: "m", detail: "d" }, { productName: "p" })).tags;
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        anyText,
        anyText,
        anyText,
        anyText,
        (kind, title, message, detail, productName) => {
          const html = renderPage({ kind, title, message, detail }, { productName });
          const { tags, text } = parsed(html);
          expect(tags).toEqual(frame(kind));
          expect(troubles(html)).toEqual([]);
          expect(text).not.toMatch(/[<>"']/);
          // Each ampersand is one of ours.
          expect(text.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
        },
      ),
      RUNS,
    );
  });
});
