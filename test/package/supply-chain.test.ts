import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../guards/imports.js";
import { type Locked, type Lockfile, locate, productionFolders, readJson } from "./lockfile.js";

/** What others' code a user of the package may be asked to trust; CONTRIBUTING.md tells of it. */
const BUDGET = { packages: 20, bytes: 4_000_000 };
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"];

const manifest = readJson<Locked & { scripts: Record<string, string> }>("package.json");
const lock = readJson<Lockfile>("package-lock.json");
const others = Object.entries(lock.packages).filter(([folder]) => folder !== "");
const production = productionFolders(lock);

const foldersWhere = (wrong: (locked: Locked) => boolean) =>
  others.filter(([, locked]) => wrong(locked)).map(([folder]) => folder);

describe("the lockfile", () => {
  it("asks for what package.json asks for", () => {
    expect(lock.lockfileVersion).toBe(3);
    const { "": ours } = lock.packages;
    for (const kind of ["version", "license", "dependencies", "devDependencies", "peerDependencies"] as const)
      expect(ours?.[kind], kind).toEqual(manifest[kind]);
  });

  it("has a hash of every package", () => {
    expect(others.length).toBeGreaterThan(100);
    expect(foldersWhere(({ integrity }) => !integrity?.startsWith("sha512-"))).toEqual([]);
  });

  it("names no host, no repository and no folder to take a package from: npm asks the registry that is set", () => {
    expect(foldersWhere(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
    const asked = others.flatMap(([, { dependencies, optionalDependencies }]) =>
      Object.entries({ ...dependencies, ...optionalDependencies }),
    );
    const elsewhere = [
      ...asked,
      ...Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }),
    ];
    expect(elsewhere.filter(([, range]) => /[:/]/.test(range.replace(/^npm:(@[^/]+\/)?/, "")))).toEqual([]);
  });

  it("has what each of its packages needs, on every system", () => {
    const missing = others.flatMap(([folder, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => locate(lock, folder, name) === undefined)
        .map((name) => `${folder} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("what an installation brings along", () => {
  it("are the dependencies and what they need, and nothing that is only ours", () => {
    const names = Object.keys(manifest.dependencies ?? {});
    expect(production).toEqual(expect.arrayContaining(names.map((name) => `node_modules/${name}`)));
    expect(production.filter((folder) => lock.packages[folder]?.dev)).toEqual([]);
  });

  it("runs no script when it is installed, and neither do we", () => {
    expect(production.filter((folder) => lock.packages[folder]?.hasInstallScript)).toEqual([]);
    const own = Object.keys(manifest.scripts);
    expect(own.filter((name) => /^(pre|post)?(install|prepare|publish|prepublishOnly)$/.test(name))).toEqual(
      [],
    );
  });

  it("has licences that go with ours", () => {
    const licences = production.map((folder) => [folder, lock.packages[folder]?.license] as const);
    expect(licences.filter(([, licence]) => !LICENCES.includes(licence ?? ""))).toEqual([]);
  });

  it(`is at most ${BUDGET.packages} packages and ${BUDGET.bytes / 1e6} MB`, () => {
    const bytes = production.reduce((sum, folder) => sum + bytesIn(folder), 0);
    console.log(`${production.length} packages, ${(bytes / 1e6).toFixed(2)} MB`);
    expect(production.length).toBeGreaterThan(0);
    expect(production.length).toBeLessThanOrEqual(BUDGET.packages);
    expect(bytes).toBeLessThanOrEqual(BUDGET.bytes);
  });
});

function bytesIn(folder: string): number {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
