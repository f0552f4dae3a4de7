import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesIn, ROOT } from "../guards/imports.js";
import { readJson } from "./lockfile.js";

it("the public types are those that were reviewed (api/); after a change: npm run api", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/api.mjs"), "--check"], {
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});

it("every entry of the package has such a report", () => {
  const { exports } = readJson<{ exports: object }>("package.json");
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  const reports = entries.map((entry) => `api/${entry === "." ? "index" : entry.slice(2)}.api.md`);
  expect(filesIn("api", /./)).toEqual(reports.sort());
});
