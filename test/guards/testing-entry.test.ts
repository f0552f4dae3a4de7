import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesIn, importsOf, ROOT, resolveImport } from "./imports.js";

/** Files that run parts of the server with settings of their own. */
const INSIDE = [
  "bench/soak/gate.ts",
  "test/support/issuer.ts",
  ...["issuers", "job-grants", "world"].map((name) => `test/docs/stage/${name}.ts`),
];

it("our own tests, benches, demo and examples use what the authors of tools have: the entry for tests", () => {
  const deep: string[] = [];
  const entry: string[] = [];
  for (const folder of ["test", "bench", "demo", "examples"].filter((one) => existsSync(join(ROOT, one)))) {
    for (const file of filesIn(folder, /\.m?ts$/)) {
      for (const { specifier } of importsOf(file)) {
        if (!specifier.startsWith(".")) continue;
        const target = resolveImport(file, specifier, ".ts");
        if (!target.startsWith("src/testing/")) continue;
        (target === "src/testing/index.ts" ? entry : deep).push(file);
      }
    }
  }
  expect(entry.length).toBeGreaterThan(10);
  expect(deep.filter((file) => !INSIDE.includes(file))).toEqual([]);
});
