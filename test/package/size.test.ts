import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../guards/imports.js";
import { readJson } from "./lockfile.js";

/** Bytes, by group (such as "entries"), by what is measured, by how. */
type Sizes = Record<string, Record<string, Record<string, number>>>;

const budget = readJson<Sizes>("test/package/budget.json");
let sizes: Sizes = {};
beforeAll(() => {
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/size.mjs")], {
    encoding: "utf8",
  });
  console.log(stderr);
  sizes = JSON.parse(stdout);
});

const flat = (all: Sizes) =>
  Object.entries(all).flatMap(([group, members]) =>
    Object.entries(members).flatMap(([name, figures]) =>
      Object.entries(figures).map(([kind, figure]) => [`${group} ${name} ${kind}`, figure] as const),
    ),
  );

describe("what the package weighs", () => {
  it("is within its budget (test/package/budget.json), or the budget is to be changed: npm run size -- --write", () => {
    const limits = new Map(flat(budget));
    expect(flat(sizes).map(([name]) => name)).toEqual([...limits.keys()]);
    expect(flat(sizes).filter(([name, figure]) => figure > (limits.get(name) ?? 0))).toEqual([]);
  });

  it("has a budget that is no wider than it need be", () => {
    const limits = new Map(flat(budget));
    expect(flat(sizes).filter(([name, figure]) => figure < 0.8 * (limits.get(name) ?? 0))).toEqual([]);
  });
});

describe("a bundler leaves out what an application does not import", () => {
  const minified = (name: string) => sizes["imports"]?.[name]?.["minified"] ?? Number.NaN;

  it("all of it, where nothing is imported by name", () => {
    expect(minified("nothing")).toBe(0);
  });

  it.each([
    ["Token", 0.15],
    ["isAuthError", 0.15],
    ["memoryBackend", 0.2],
    ["fromFile", 0.25],
    ["Config", 0.4],
    ["TokenStore", 0.45],
    ["authenticate", 0.8],
  ])("but for %s, and what that needs", (name, share) => {
    const whole = sizes["entries"]?.["."]?.["minified"] ?? Number.NaN;
    expect(minified(name)).toBeGreaterThan(0);
    expect(minified(name) / whole).toBeLessThan(share);
  });
});
