import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { moveUnreleased, tells } from "../../scripts/changelog.mjs";
import { ROOT } from "../guards/imports.js";
import { readJson } from "./lockfile.js";

describe("the rehearsal of a release", () => {
  const folder = join(ROOT, "release/rehearsal");
  const { version } = readJson<{ version: string }>("package.json");
  const tarball = `oidc-auth-client-${version}.tgz`;
  let output = "";

  beforeAll(() => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, "scripts/release.mjs"), "--dry-run"],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, npm_config_dry_run: "" } },
    );
    output = stdout + stderr;
    expect(status, output).toBe(0);
  }, 120_000);

  it("packs, tries what it packed, and ends where npm would publish it", () => {
    expect(output).toContain("6 entries can be imported, 3 programs start");
    expect(output).toMatch(/release: rehearsed\n/);
  });

  it("makes a bill of materials in both forms, which names what an installation brings along", () => {
    const names = (file: string, member: string) =>
      readJson<Record<string, { name: string }[]>>(`release/rehearsal/oidc-auth-client-${version}.${file}`)[
        member
      ]?.map(({ name }) => name) ?? [];
    for (const found of [names("cdx.json", "components"), names("spdx.json", "packages")]) {
      expect(found).toEqual(expect.arrayContaining(["jose", "oauth4webapi", "openid-client", "undici"]));
      expect(found).not.toContain("vitest");
    }
  });

  it("makes checksums that hold", () => {
    const lines = readFileSync(join(folder, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(lines.map((line) => line.split("  ")[1])).toEqual(
      expect.arrayContaining([tarball, ...readdirSync(folder).filter((name) => name.endsWith(".json"))]),
    );
    for (const line of lines) {
      const [sum, file = ""] = line.split("  ");
      const own = createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex");
      expect(own, file).toBe(sum);
    }
  });
});

describe("the changelog at a release", () => {
  const before =
    "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- First.\n";

  it("has what is new under the version and its date", () => {
    const after = moveUnreleased(before, "0.2.0", "2026-02-01");
    expect(after).toContain("## Unreleased\n\n## 0.2.0 - 2026-02-01\n\n### Added\n\n- A thing.\n");
    expect(tells(after, "0.2.0")).toBe(true);
    expect(tells(before, "0.2.0")).toBe(false);
  });

  it("must say what is new", () => {
    const empty = "# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-01\n";
    expect(() => moveUnreleased(empty, "0.2.0", "2026-02-01")).toThrow("says nothing");
  });
});
