import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { approveDevice, startAuthServer } from "../../src/testing/index.js";
import { EXAMPLES, outcomeOf } from "../support/examples.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const ROOT = join(EXAMPLES, "..");
const page = readFileSync(join(EXAMPLES, "notebook/README.md"), "utf8");
const cells = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
const hasDeno = spawnSync("deno", ["--version"]).status === 0;

/** Runs the cells one after the other in a hub, where a person reads what they print. */
async function runCells(program: string, ...before: string[]) {
  const server = await startAuthServer({ deviceInterval: 0.1 });
  onTestFinished(() => server.close());
  const folder = tempFolder();
  mkdirSync(join(folder, "node_modules"));
  for (const [name, place] of [
    ["oidc-auth-client", ROOT],
    ["tsx", join(ROOT, "node_modules/tsx")],
  ] as const)
    symlinkSync(place, join(folder, "node_modules", name));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    join(folder, "cells.ts"),
    cells.join("\n").replaceAll("https://auth.example.org", () => server.host),
  );
  const env = { XDG_CACHE_HOME: folder, JUPYTERHUB_USER: "ada", HOME: folder };
  const run = () => runNode(program, [...before, join(folder, "cells.ts")], env, { cwd: folder });
  const first = run();
  const shown = await first.line((line) => line.startsWith("Open "));
  await approveDevice(/http\S+/.exec(shown)?.[0] ?? "", { name: "ada" });
  expect((await outcomeOf(first)).out).toMatch(/username: ['"]ada['"]/);
  const again = await outcomeOf(run());
  expect(again.out).toMatch(/^\{ username: ['"]ada['"], email: ['"]ada@example.org['"] \}$/);
  expect(server.counts["device"]).toBe(1);
}

describe("the cells of a notebook", () => {
  it("log in once, in Node", async () => {
    expect(cells).toHaveLength(2);
    await runCells("--import", "tsx");
  });

  it.skipIf(!hasDeno)("log in once, in Deno", async () => {
    const script = join(tempFolder(), "run.mjs");
    const run =
      'import { spawn } from "node:child_process"; const args = ["run", "--allow-all", process.argv[2]];';
    const pass = 'spawn("deno", args, { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 1));';
    writeFileSync(script, `${run}\n${pass}\n`);
    await runCells(script);
  });
});

it("tslab, which knows no `exports` and makes CommonJS of cells, finds the library and its types", () => {
  const { main, types, exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect({ types, default: main }).toEqual(exports["."]);
  const cell =
    'const { createAuthFetch } = require("oidc-auth-client"); console.log(typeof createAuthFetch);';
  const { stdout } = spawnSync(process.execPath, ["--input-type=commonjs", "-e", cell], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(stdout).toBe("function\n");
});
