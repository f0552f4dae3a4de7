import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { type Child, type RunOptions, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate.mjs");

async function loggedIn() {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  await logIn(server.host, new TokenStore({ path }));
  const expire = () => {
    const content = JSON.parse(readFileSync(path, "utf8"));
    for (const entry of Object.values<{ token: { expires: number } }>(content))
      entry.token.expires = 1_700_000_000;
    writeFileSync(path, JSON.stringify(content));
  };
  const run = async (options: RunOptions = {}): Promise<string> => {
    const child: Child = runNode(WORKER, [server.host, path], {}, options);
    await child.line((line) => line === "ready");
    child.process.stdin?.write("go\n");
    return child.line((line) => /^(token|failed) /.test(line));
  };
  return { server, path, expire, run };
}

/** A folder that the worker may read, and not write. */
function closeFolder(path: string): RunOptions {
  chmodSync(dirname(path), 0o555);
  onTestFinished(() => chmodSync(dirname(path), 0o755));
  return { unprivileged: true };
}

describe("in a folder that cannot be written", () => {
  it("a good token is served", async () => {
    const { path, run } = await loggedIn();
    expect(await run(closeFolder(path))).toMatch(/^token Bearer /);
  });

  it("a refresh is not begun: the refresh token is not spent", async () => {
    const { server, path, expire, run } = await loggedIn();
    expire();
    const before = readFileSync(path, "utf8");
    expect(await run(closeFolder(path))).toMatch(/^failed store_unwritable: .*access is not permitted/);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(before);
  });
});

describe("where no space is left", () => {
  // A limit on the size of files fails in the same call as a full disk does.
  it("a good token is served, and a refresh is not begun", async () => {
    const { server, expire, run } = await loggedIn();
    expect(await run({ fileLimit: 16 })).toMatch(/^token Bearer /);
    expire();
    expect(await run({ fileLimit: 16 })).toMatch(/^failed store_unwritable: /);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(await run()).toMatch(/^token Bearer /);
    expect(server.counts["token:refresh"]).toBe(1);
  });
});
