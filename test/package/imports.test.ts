import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../guards/imports.js";
import { readJson } from "./lockfile.js";

interface Probed {
  /** What the import changed in the process, or touched outside of it. */
  readonly changes: string[];
  /** The exports, each with the name that a function or class calls itself by. */
  readonly names: [string, string][];
}

/** Imports a module in a process of its own, which has to end by itself. */
function probe(specifier: string): Probed & { printed: string; status: number | null } {
  const { output, status } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "workers/import-probe.mjs"), specifier],
    {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      timeout: 60_000,
      env: { PATH: process.env["PATH"] ?? "" },
    },
  );
  const [, out, err, probed] = output;
  return { ...JSON.parse(probed || "{}"), printed: `${out}${err}`, status };
}

const entries = Object.keys(readJson<{ exports: object }>("package.json").exports)
  .filter((entry) => !entry.endsWith(".json"))
  .map((entry) => `oidc-auth-client${entry.slice(1)}`);

describe("to import", () => {
  it.each(entries)("%s changes nothing, opens nothing, reads nothing and prints nothing", (entry) => {
    const { names, ...rest } = probe(entry);
    expect(rest).toEqual({ changes: [], printed: "", status: 0 });
    expect(names.length).toBeGreaterThan(0);
    // Bundled code shows people the names that they know.
    expect(names.filter(([exported, own]) => exported !== own)).toEqual([]);
  });

  it("is seen where it does", () => {
    const code = `
      import { readFileSync } from "node:fs";
      globalThis.left = 1;
      process.on("SIGUSR2", () => {});
      process.env.LEFT = "1";
      Array.prototype.left = 1;
      setTimeout(() => {}, 1);
      readFileSync("/dev/null");
      console.log("printed");
      export const shown = function hidden() {};`;
    const { changes, printed, names } = probe(`data:text/javascript,${encodeURIComponent(code)}`);
    expect(changes).toEqual(
      expect.arrayContaining([
        "new in environment: LEFT=1",
        "new in globals: left",
        "new in listeners: SIGUSR2 1",
        "new in prototypes: Array.left",
        "new in resources: Timeout",
        "readFileSync /dev/null",
      ]),
    );
    expect(printed).toBe("printed\n");
    expect(names).toEqual([["shown", "hidden"]]);
  });
});
