import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../guards/imports.js";
import { tempFolder } from "../support/temp-folder.js";
import { type Lockfile, productionFolders, readJson } from "./lockfile.js";

const { name, version, exports, bin } = readJson<{
  name: string;
  version: string;
  exports: object;
  bin: object;
}>("package.json");
const production = productionFolders(readJson<Lockfile>("package-lock.json")).map((folder) =>
  folder.replace(/^node_modules\//, ""),
);

function release(folder: string, args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, "scripts/release.mjs"), ...args],
    {
      encoding: "utf8",
      cwd: folder,
      env: { ...process.env, ...env },
    },
  );
  return { status, stdout, stderr };
}

describe("a rehearsal of the release", () => {
  const made = join(ROOT, "release/rehearsal");
  let run = { status: null as number | null, stdout: "", stderr: "" };
  beforeAll(() => {
    run = release(ROOT, ["--dry-run"]);
  }, 120_000);

  it("ends well, and has published nothing", () => {
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/Publishing to \S+ with tag latest and public access \(dry-run\)/);
    // What npm says where it has to correct a package.json.
    expect(run.stderr).not.toMatch(/auto-corrected|errors corrected/);
    expect(run.stdout).toMatch(/rehearsed\n$/);
  });

  it("installs the tarball alone: with it come the packages that are expected, and no other", () => {
    const [, packages = ""] = /installed alone, it brings (.*)/.exec(run.stdout) ?? [];
    expect(packages.split(", ").sort()).toEqual(production);
    // All but package.json itself.
    const entries = Object.keys(exports).length - 1;
    const programs = Object.keys(bin).length;
    expect(run.stdout).toContain(`${entries} entries can be imported, ${programs} programs start`);
  });

  it("makes bills of materials that name every package of an installation, with its hash and licence", () => {
    const read = (ending: string) =>
      JSON.parse(readFileSync(join(made, `${name}-${version}.${ending}.json`), "utf8"));
    const cyclonedx = read("cdx");
    expect(cyclonedx).toMatchObject({
      bomFormat: "CycloneDX",
      metadata: { component: { name, version, licenses: [{ license: { id: "BSD-3-Clause" } }] } },
    });
    const components: { name: string; hashes: unknown[]; licenses: unknown[] }[] = cyclonedx.components;
    expect(components.map((component) => component.name).sort()).toEqual(production);
    for (const { hashes, licenses } of components) expect([hashes.length, licenses.length]).toEqual([1, 1]);
    const spdx = read("spdx");
    expect(spdx).toMatchObject({ spdxVersion: "SPDX-2.3", name: `${name}@${version}` });
    const packages: { name: string }[] = spdx.packages;
    expect(packages.map((one) => one.name).sort()).toEqual([...production, name].sort());
  });

  it("makes checksums of all files", () => {
    const sums = readFileSync(join(made, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(sums).toHaveLength(3);
    for (const line of sums) {
      const [sum, file = ""] = line.split("  ");
      expect(
        createHash("sha256")
          .update(readFileSync(join(made, file)))
          .digest("hex"),
      ).toBe(sum);
    }
  });
});

/** What a release needs of the project, in a repository of its own; and an npm that publishes nothing. */
function project() {
  const folder = join(tempFolder(), "project");
  for (const path of [
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist",
    "package-lock.json",
    "package.json",
    "scripts",
  ])
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@example.org", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  const commit = () => {
    git("add", "--all");
    git("commit", "--quiet", "--message", "A step");
  };
  git("init", "--quiet");
  // What is new: the real changelog may just have been released.
  writeFileSync(
    join(folder, "CHANGELOG.md"),
    "# Changelog\n\n## Unreleased\n\n- A thing.\n\n## 0.0.1 - 2020-01-01\n",
  );
  commit();

  const bin = tempFolder();
  const log = join(bin, "log");
  writeFileSync(log, "");
  const npm = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  writeFileSync(
    join(bin, "npm"),
    `#!/bin/sh
case "$1" in
  audit | test | publish) echo "$*" >>"${log}" ;;
  view) ! grep -q ^publish "${log}" || echo ${version} ;;
  *) exec "${npm}" "$@" ;;
esac
`,
    { mode: 0o755 },
  );
  return {
    folder,
    git,
    commit,
    calls: () => readFileSync(log, "utf8").trim().split("\n"),
    run: () => release(folder, [], { PATH: `${bin}${delimiter}${process.env["PATH"]}` }),
  };
}

describe("a release", () => {
  it("asks for one thing after the other, goes on where it was, and publishes what it tried", {
    timeout: 120_000,
  }, () => {
    const { folder, git, commit, calls, run } = project();

    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining(`moves under ${version}`) });
    expect(readFileSync(join(folder, "CHANGELOG.md"), "utf8")).toMatch(
      new RegExp(`^## Unreleased\n\n## ${version} - \\d{4}-\\d\\d-\\d\\d\n\n- A thing.\n\n## 0.0.1`, "m"),
    );
    expect(run().stderr).toContain("Commit what has changed");
    commit();

    expect(run().stderr).toContain("Fill in `repository`");
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const repository = { type: "git", url: "git+https://git.example.org/project.git" };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, repository }));
    commit();

    expect(run().stderr).toContain(`git tag v${version}`);
    git("tag", `v${version}`);
    expect(calls()).toEqual([""]);

    const first = run();
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toContain(`${name} ${version} is published`);
    const tarball = join(folder, "release", version, `${name}-${version}.tgz`);
    const steps = ["audit --omit dev", "test", `publish ${tarball}`];
    expect(calls()).toEqual(steps);

    const again = run();
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toContain("tested and packed before");
    expect(again.stdout).toContain("published before");
    expect(calls()).toEqual(steps);
  });

  it("stops where nothing is said of what is new", () => {
    const { folder, commit, run } = project();
    writeFileSync(
      join(folder, "CHANGELOG.md"),
      "# Changelog\n\n## Unreleased\n\n## 0.0.1 - 2020-01-01\n\n- Old.\n",
    );
    commit();
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('under "Unreleased"') });
  });

  it("does nothing where --dry-run was taken by npm, which would only seem to do each step", () => {
    const { folder } = project();
    expect(release(folder, [], { npm_config_dry_run: "true" })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("npm run release -- --dry-run"),
    });
  });
});
