import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../guards/imports.js";

it("there is no file, export or dependency that nothing uses (knip.jsonc)", () => {
  const knip = join(ROOT, "node_modules/.bin/knip");
  const { status, stdout, stderr } = spawnSync(knip, ["--treat-config-hints-as-errors"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});
