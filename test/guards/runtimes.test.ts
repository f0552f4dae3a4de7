import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXCEPTIONS } from "../runtimes/runtimes.js";
import { filesIn, ROOT } from "./imports.js";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const PAGE = read("docs/runtimes.md");
const PINNED = JSON.parse(read("test/runtimes/pinned/package.json"));

describe("docs/runtimes.md", () => {
  it("names the versions that are pinned, and the least Node that the package allows", () => {
    const shown = [...PAGE.matchAll(/^\| `([a-z-]+(?:-\d+)?)` +\| ([\d.]+) /gm)].map(([, name, version]) => [
      name,
      version,
    ]);
    const nodes = Object.entries<string>(PINNED.optionalDependencies)
      .filter(([name]) => name.endsWith("-linux-x64"))
      .map(([name, pinned]) => [name.replace("-linux-x64", ""), pinned.split("@").at(-1)]);
    expect(shown).toEqual([...nodes, ...Object.entries(PINNED.dependencies)]);
    expect(JSON.parse(read("package.json")).engines.node).toBe(`>=${nodes[0]?.[1]}`);
  });

  it("lists what cannot run where, and why", () => {
    const lines = Object.entries(EXCEPTIONS).flatMap(([runtime, exceptions]) => [
      `### ${runtime[0]?.toUpperCase()}${runtime.slice(1)}`,
      "",
      ...exceptions.map(({ file, test, why }) => `- \`${file}\`: ${test}. ${why}`),
      "",
    ]);
    const shown = /<!-- exceptions:.*?-->\n\n([\s\S]*?)<!-- \/exceptions -->/.exec(PAGE)?.[1];
    expect(shown).toBe(`${lines.join("\n")}\n`);
  });
});

describe("the pinned runtimes", () => {
  it("are the same version on every platform", () => {
    const versions = new Map<string, Set<string>>();
    for (const [name, pinned] of Object.entries<string>(PINNED.optionalDependencies)) {
      const runtime = /^node-\d+/.exec(name)?.[0] ?? name;
      versions.set(runtime, (versions.get(runtime) ?? new Set()).add(pinned.split("@").at(-1) ?? ""));
    }
    expect([...versions.values()].map((one) => one.size)).toEqual([1, 1, 1, 1]);
  });

  it("are installed from no named host", () => {
    expect(read("test/runtimes/pinned/package-lock.json")).not.toMatch(/"resolved"/);
  });

  it("are excepted from tests that are there", () => {
    const files = filesIn("test", /\.test\.ts$/);
    const named = Object.values(EXCEPTIONS).flatMap((some) => some.map(({ file }) => join("test", file)));
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
  });
});
