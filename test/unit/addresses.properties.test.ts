import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callbackFrom } from "../../src/flows/pasted-callback.js";
import { httpUrl } from "../../src/settings/address.js";
import { anyText, callbackWith, pairs, REDIRECT, urlText } from "../support/callbacks.js";
import { ALL_HOSTILE } from "../support/hostile-text.js";

/** Addresses that people paste, and that servers send them to: what is taken of them, and what is not. */

const RUNS = { numRuns: 2000, seed: 42 };

describe("a pasted address", () => {
  const pasted = fc.oneof(
    anyText,
    fc
      .tuple(anyText, pairs("s"), anyText)
      .map(([before, all, after]) => `${before}${callbackWith(all).href}${after}`),
    pairs("s").map((all) => callbackWith(all).search),
    pairs("s").map((all) => `${REDIRECT}#${callbackWith(all).search.slice(1)}`),
  );

  it("is never more than parameters of our own redirect URI", () => {
    let taken = 0;
    fc.assert(
      fc.property(pasted, (line) => {
        const callback = callbackFrom(line, REDIRECT);
        if (!callback) return;
        taken++;
        expect(callback.href.split("?")[0]).toBe(REDIRECT);
        expect(callback.hash + callback.username + callback.password).toBe("");
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(500);
  });

  it("is that of the browser, with blanks, quotes and a fragment around it", () => {
    const around = fc.tuple(
      fc.constantFrom("", " ", '"', "'", "<", "\t"),
      fc.constantFrom("", " ", '"', "'", ">", "#x", "\r"),
    );
    fc.assert(
      fc.property(urlText, urlText, around, (code, state, [before, after]) => {
        const callback = callbackWith([
          ["code", code],
          ["state", state],
        ]);
        const found = callbackFrom(`${before}${callback.href}${after}`, REDIRECT);
        expect([...(found?.searchParams ?? [])]).toEqual([...callback.searchParams]);
      }),
      RUNS,
    );
  });

  it("of a megabyte ends soon", () => {
    expect(callbackFrom(`?state=${ALL_HOSTILE.repeat(1000)}`, REDIRECT)?.pathname).toBe("/callback");
    expect(callbackFrom("?".repeat(1_000_000), REDIRECT)).toBeUndefined();
    expect(callbackFrom(`${"&".repeat(500_000)}code`, REDIRECT)).toBeUndefined();
  });
});

describe("an address for a browser", () => {
  it("is http(s) in visible ASCII, without a name in front of its host", () => {
    const schemes = [
      "https://",
      "http://",
      "HTTP://",
      "javascript:",
      "file://",
      "data:",
      "-",
      "//",
      " https://",
      "ht\ntps://",
    ];
    const address = fc.oneof(
      anyText,
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.tuple(fc.constantFrom(...schemes), anyText).map((both) => both.join("")),
      fc
        .tuple(fc.constantFrom(...schemes), fc.domain(), anyText)
        .map(([scheme, host, rest]) => `${scheme}${host}/${rest}`),
      fc.tuple(anyText, fc.domain()).map(([name, host]) => `https://${name}@${host}/`),
    );
    let taken = 0;
    fc.assert(
      fc.property(address, (text) => {
        const url = httpUrl(text);
        if (!url) return;
        taken++;
        expect(url.href).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
        expect(url.href).not.toMatch(/^[^/]*\/\/[^/]*@|[<>"\s]/);
        // It is what it is, whoever reads it once more.
        expect(new URL(url.href).href).toBe(url.href);
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(300);
  });
});
