import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { tempFolder } from "../support/temp-folder.js";

/** The page on testing, as its reader follows it: its tests are put in a project, and run. */

const ROOT = join(import.meta.dirname, "../..");
const page = readFileSync(join(ROOT, "docs/testing.md"), "utf8");
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);

function project(chosen: (code: string) => boolean, ending: string): { folder: string; files: string[] } {
  const folder = tempFolder();
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(ROOT, join(folder, "node_modules/oidc-auth-client"));
  for (const name of ["vitest", "tsx"])
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  symlinkSync(join(ROOT, "dist/cli/oidc-auth.cjs"), join(folder, "node_modules/.bin/oidc-auth"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const files = blocks.filter(chosen).map((code, number) => {
    writeFileSync(join(folder, `${number}${ending}`), code);
    return `${number}${ending}`;
  });
  return { folder, files };
}

const run = (folder: string, args: readonly string[]) =>
  promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
  });

const isForNode = (code: string) => code.includes("node:test");

it("the page's tests pass under vitest", { timeout: 120_000 }, async () => {
  const { folder, files } = project((code) => !isForNode(code), ".test.ts");
  expect(files.length).toBeGreaterThanOrEqual(5);
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  // One after the other: this machine is shared, and the reader's need not be.
  const args = [vitest, "run", "--root", folder, "--reporter=json", "--no-file-parallelism"];
  const { stdout } = await run(folder, args);
  expect(JSON.parse(stdout)).toMatchObject({ numTotalTests: files.length, numPassedTests: files.length });
});

it("the page's tests pass under Node's own test runner", { timeout: 60_000 }, async () => {
  const { folder, files } = project(isForNode, ".test.mts");
  expect(files.length).toBeGreaterThanOrEqual(1);
  const { stdout } = await run(folder, ["--import", "tsx", "--test", ...files]);
  expect(stdout).toMatch(new RegExp(`^# pass ${files.length}$`, "m"));
});
