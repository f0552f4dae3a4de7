import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "./imports.js";

/** The tests that the table names: file and title. */
function namedTests(): { file: string; title: string }[] {
  const page = readFileSync(join(ROOT, "docs/conformance.md"), "utf8");
  return [...page.matchAll(/\| `((?:integration|process|browser|unit)\/[^`]+)`: (.*?) *\|$/gm)].map(
    ([, file = "", title = ""]) => ({
      file: join("test", file),
      title: title.replace(/ \(oauth2-mock-server\)$/, ""),
    }),
  );
}

it("every row of the conformance table names a test, which is there", () => {
  const rows = readFileSync(join(ROOT, "docs/conformance.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\| (-|section|standard)/.test(line));
  const named = namedTests();
  expect(named).toHaveLength(rows.length);
  const missing = named.filter(({ file, title }) => !readFileSync(join(ROOT, file), "utf8").includes(title));
  expect(missing).toEqual([]);
});
