import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "./imports.js";

/** The rows of a page's tables whose last column is "test". */
function rowsOf(page: string): string[] {
  const rows: string[] = [];
  let inside = false;
  for (const line of readFileSync(join(ROOT, page), "utf8").split("\n")) {
    if (!line.startsWith("|")) inside = false;
    else if (/\| test +\|$/.test(line)) inside = true;
    else if (inside && !line.startsWith("| -")) rows.push(line);
  }
  return rows;
}

/** The test that a row names: file and title. */
function testOf(row: string): { file: string; title: string } | undefined {
  const [, file = "", title = ""] = /\| `([a-z]+\/[^`]+\.test\.ts)`: (.*?) *\|$/.exec(row) ?? [];
  if (!file) return undefined;
  return { file: join("test", file), title: title.replace(/ \(oauth2-mock-server\)$/, "") };
}

it.each([
  ["docs/conformance.md", 40],
  ["SECURITY.md", 50],
])("every row of the tables in %s names a test, which is there", (page, least) => {
  const rows = rowsOf(page);
  expect(rows.length).toBeGreaterThanOrEqual(least);
  expect(rows.filter((row) => testOf(row) === undefined)).toEqual([]);
  const missing = rows.filter((row) => {
    const { file, title } = testOf(row) ?? { file: "", title: "" };
    return !readFileSync(join(ROOT, file), "utf8").includes(title);
  });
  expect(missing).toEqual([]);
});
