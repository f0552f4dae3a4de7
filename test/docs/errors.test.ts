import { describe, expect, it } from "vitest";
import { ERROR_KINDS } from "../../src/errors.js";
import { readPage } from "./pages.js";

const page = readPage("docs/errors.md");
const codes = Object.keys(ERROR_KINDS);

describe("the page of errors", () => {
  it("has each code in its table, with the exit status, whether it may work later, and the hint of the source", () => {
    const rows = [...page.matchAll(/^\| \[`(\w+)`\]\(#(\w+)\) +\| (\d) +\| (yes|no) +\| (.+?) *\|$/gm)];
    const table = rows.map(([, code, anchor, exit, again, hint]) => ({ code, anchor, exit, again, hint }));
    expect(table).toEqual(
      Object.entries(ERROR_KINDS)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, { exit, retryable, hint }]) => ({
          code,
          anchor: code,
          exit: String(exit),
          again: retryable ? "yes" : "no",
          hint,
        })),
    );
  });

  it("says of each what it means and what to do, and of no other", () => {
    const sections = [...page.matchAll(/^### (\w+)\n\n([\s\S]*?)(?=\n##|$(?![\s\S]))/gm)];
    expect(sections.map(([, code]) => code).sort()).toEqual([...codes].sort());
    for (const [, code = "", text = ""] of sections) expect(text.trim().length, code).toBeGreaterThan(60);
  });
});
