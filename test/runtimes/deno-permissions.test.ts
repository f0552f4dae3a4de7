import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type AuthServer, approveDevice, startAuthServer } from "../../src/testing/index.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";
import { runtimes } from "./runtimes.js";

/** The permissions that docs/runtimes.md names are enough on Deno, all but `uid` have to be there. */

const JOB = join(import.meta.dirname, "workers/job.mjs");
const deno = runtimes().find(({ name }) => name === "deno")?.program ?? "";

let server: AuthServer;
let folder: string;
beforeEach(async () => {
  server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(() => server.close());
  folder = tempFolder();
});

const permissions = () => [
  `--allow-net=${new URL(server.host).host}`,
  `--allow-read=${folder}`,
  `--allow-write=${folder}`,
  "--allow-env",
  "--allow-sys=hostname",
];
/** Without it all works, apart from what docs/runtimes.md says. */
const UID = "--allow-sys=uid";

function job(flags: readonly string[], ...args: string[]) {
  const words = [server.host, join(folder, "store.json"), ...args];
  return runNode(JOB, words, {}, { runtime: [deno, "run", "--no-prompt", ...flags] });
}

async function logIn(flags: readonly string[]): Promise<string> {
  const child = job(flags);
  // Without a permission it ends before there is a link.
  const link = await child.line((line) => line.startsWith("open ")).catch(() => undefined);
  if (link !== undefined) await approveDevice(link.slice(5));
  const { code } = await child.ended();
  return code === 0 ? "done" : child.errors.join("\n");
}

describe("the least permissions on Deno", () => {
  it("are enough for a login, reuse and renewal", async () => {
    expect(await logIn(permissions())).toBe("done");
    expect(server.counts["refreshes"]).toBe(1);
  });

  it.each(["net", "read", "write", "env", "sys"])("all have to be there: --allow-%s", async (missing) => {
    const fewer = permissions().filter((flag) => !flag.startsWith(`--allow-${missing}`));
    expect(await logIn(fewer)).toMatch(new RegExp(`Requires ${missing} access|cannot be reached`));
  });

  it("for a token that is reused are two", async () => {
    expect(await logIn([...permissions(), UID])).toBe("done");
    const child = job([`--allow-read=${folder}`, "--allow-env"], "reuse");
    const { code } = await child.ended();
    expect({ code, errors: child.errors }).toEqual({ code: 0, errors: [] });
    expect(child.lines).toEqual([expect.stringMatching(/^tokens \S+$/)]);
  });
});
