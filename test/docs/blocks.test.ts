import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allBlocks, type Block } from "./pages.js";
import { Runner } from "./stage/run.js";
import { startWorld, type World } from "./stage/world.js";

let folder: string;
let world: World;
let runner: Runner;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "oidc-auth-docs-"));
  world = await startWorld(folder);
  runner = new Runner(world, folder);
});
afterAll(async () => {
  runner?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Programs of the pages that this machine does not have. */
const MISSING = ["curl", "git", "kubectl", "python"].filter((name) => {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
});

/** What a block needs that is not here. */
function missingFor({ code }: Block): string | undefined {
  if (code.includes("redis://") && !world.hasRedis) return "redis-server";
  return MISSING.find((name) => new RegExp(`(^|[\\s(])${name}\\s`, "m").test(code));
}

const blocks = allBlocks("ts", "sh");
const run = (language: string) =>
  blocks.filter((one) => one.language === language && one.notRun === undefined);

describe("the blocks of our pages", () => {
  it.concurrent.for(run("ts"))("run: $page:$line", { timeout: 90_000 }, async (block, { expect, skip }) => {
    const missing = missingFor(block);
    if (missing) skip(`${missing} is not installed`);
    const outcome = await runner.runTypeScript(block);
    expect(outcome.code, outcome.output).toBe(0);
  });

  it.concurrent.for(run("sh"))("run in a shell: $page:$line", { timeout: 90_000 }, async (block, context) => {
    const missing = missingFor(block);
    if (missing) context.skip(`${missing} is not installed`);
    const outcome = await runner.runShell(block);
    context.expect(outcome.code, outcome.output).toBe(0);
  });

  it("make a tool whose commands all work: login, status, items, logout", { timeout: 90_000 }, async () => {
    const tool = blocks.find(({ code }) => code.includes('new Command("my-tool")'));
    if (!tool) throw new Error("No page has the tool.");
    const home = mkdtempSync(join(folder, "tool-"));
    const run = async (ARGS: string, more = {}) => {
      const variables = { ...tool.variables, ...more, ARGS, XDG_CACHE_HOME: home };
      return runner.runTypeScript({ ...tool, variables });
    };
    const nobody = await run("items", { INTERACTIVE_SESSION: "0" });
    expect(nobody.code).toBe(3);
    expect(nobody.output).toMatch(/^ +my-tool login$/m);
    expect(await run("status")).toEqual({ code: 0, output: "" });
    expect(await run("login")).toMatchObject({ code: 0 });
    const good = expect.stringMatching(/^https:\/\/auth\.example\.org: good until \d/);
    expect(await run("status")).toEqual({ code: 0, output: good });
    expect(await run("items")).toMatchObject({ code: 0 });
    expect(await run("logout")).toEqual({ code: 0, output: "" });
    expect(await run("status")).toEqual({ code: 0, output: "" });
  });

  it("are run but for a few, each with its reason", () => {
    const rest = blocks.filter(({ notRun }) => notRun !== undefined);
    const reasons = rest.map(({ page, line, notRun }) => `  ${page}:${line}: ${notRun}`);
    console.log(`${blocks.length} blocks, ${rest.length} of them not run:\n${reasons.join("\n")}`);
    expect(rest.length).toBeLessThanOrEqual(blocks.length / 8);
  });
});

describe("a block that is wrong", () => {
  const wrong = (language: string, code: string): Block => ({
    ...{ page: "x.md", line: 1, notRun: undefined, variables: {} },
    ...{ language, code },
  });

  it("fails, in TypeScript as in a shell", { timeout: 60_000 }, async () => {
    const refused =
      'import { authenticate } from "oidc-auth-client";\nawait authenticate("http://example.org");\n';
    const { code, output } = await runner.runTypeScript(wrong("ts", refused));
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining("insecure_host") });
    expect((await runner.runShell(wrong("sh", "oidc-auth token nobody\ntrue\n"))).code).toBe(2);
  });

  it("reaches nothing outside", { timeout: 60_000 }, async () => {
    const outside = 'await fetch("http://www.example.org/");\n';
    const { code, output } = await runner.runTypeScript(wrong("ts", outside));
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining("has no www.example.org:80"),
    });
  });
});
