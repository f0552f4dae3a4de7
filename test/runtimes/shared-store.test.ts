import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { LOCK_TIMES } from "../../src/store/file-lock.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";
import { runtimes } from "./runtimes.js";

/** The built package on several runtimes at once, over one store file. */

const RUNTIMES = runtimes();
const EACH = 3;
const ROUNDS = 5;
const worker = (name: string) => join(import.meta.dirname, "../process/workers", `${name}.mjs`);
const start = (name: string, script: string, args: readonly string[]) =>
  runNode(script, args, {}, { runtime: RUNTIMES.find((one) => one.name === name)?.words ?? [] });

function expire(path: string): void {
  const content = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values<{ token: { expires: number } }>(content))
    entry.token.expires = 1_700_000_000;
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
}

it(`${EACH} processes of each runtime with an expired token make one refresh, ${ROUNDS} times over`, {
  timeout: 120_000,
}, async () => {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false, tokenLatency: 30 });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  await logIn(server.host, new TokenStore({ path }));
  for (let round = 1; round <= ROUNDS; round++) {
    expire(path);
    const children = RUNTIMES.flatMap(({ name }) =>
      Array.from({ length: EACH }, () => start(name, worker("authenticate"), [server.host, path])),
    );
    await Promise.all(children.map((child) => child.line((line) => line === "ready")));
    const outcomes = await Promise.all(
      children.map(async (child) => {
        child.process.stdin?.write("go\n");
        return child.line((line) => /^(token|failed) /.test(line));
      }),
    );
    expect(new Set(outcomes).size, outcomes.join("\n")).toBe(1);
    const authorization = (outcomes[0] ?? "").replace(/^token /, "");
    expect((await fetch(server.meUrl, { headers: { authorization } })).status).toBe(200);
    expect(server.counts["token:refresh"]).toBe(round);
  }
  expect(readdirSync(dirname(path))).toEqual(["store.json"]);
});

it.each([
  ["bun", "node-20"],
  ["deno", "node-26"],
  ["node-20", "bun"],
  ["node-26", "deno"],
  ["bun", "deno"],
  ["deno", "bun"],
])("the lock of a killed process on %s is taken over at once on %s", async (killed, waiting) => {
  const path = join(tempFolder(), "store.json");
  const staleMs = String(LOCK_TIMES.staleMs);
  const holder = start(killed, worker("hold"), [path, staleMs]);
  await holder.line((line) => line === "inside");
  const waiter = start(waiting, worker("hold"), [path, staleMs]);
  holder.process.kill("SIGKILL");
  const since = performance.now();
  await waiter.line((line) => line === "inside");
  // By the process id, not by the age of the lock.
  expect(performance.now() - since).toBeLessThan(LOCK_TIMES.staleMs);
  waiter.process.stdin?.end("go\n");
  await waiter.line((line) => line === "returned stale");
  expect(await waiter.ended()).toEqual({ code: 0, signal: null });
});
