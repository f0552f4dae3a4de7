import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LOCK_TIMES } from "../../src/store/file-lock.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const KILLS = 500;
const HOST = "https://auth.example.org";

const worker = (name: string) => join(import.meta.dirname, "workers", `${name}.mjs`);
const numberIn = (line: string) => Number(line.split(" ")[1]);

/** Starts a worker, and kills it at a moment that differs each time: within its first write, or some writes later. */
async function startAndKill(kill: number, script: string, args: string[]): Promise<number[]> {
  const started = performance.now();
  const child = runNode(script, args);
  await child.line(() => child.lines.length > kill % 4);
  // Whatever the one before left behind was taken over at once.
  expect(performance.now() - started).toBeLessThan(LOCK_TIMES.staleMs);
  const moment = performance.now() + (kill % 41) / 8;
  while (performance.now() < moment);
  child.process.kill("SIGKILL");
  await child.ended();
  return child.lines.map(numberIn);
}

describe(`${2 * KILLS} kills leave the store whole`, () => {
  it("in the middle of put()", { timeout: 300_000 }, async () => {
    const folder = tempFolder();
    const path = join(folder, "store.json");
    for (let kill = 0; kill < KILLS; kill++) {
      const name = `worker${kill % 2}`;
      const acknowledged = await startAndKill(kill, worker("put-forever"), [path, name]);
      const content = JSON.parse(readFileSync(path, "utf8"));
      for (const entry of Object.values<{ token: Record<string, never> }>(content)) {
        expect(entry.token["headers"]).toEqual({ Authorization: `Bearer ${entry.token["access_token"]}` });
      }
      for (const n of acknowledged) {
        // It may have written a later one to the same host, never an earlier one.
        const { access_token } = content[`https://${name}-${n % 20}.example.org`].token;
        expect(Number(access_token)).toBeGreaterThanOrEqual(n);
      }
    }
    await new TokenStore({ path }).put(
      "https://last.example.org",
      new Token({ accessToken: "x", expiresAt: 4e9 }),
    );
    expect(readdirSync(folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  it("in the middle of update()", { timeout: 300_000 }, async () => {
    const folder = tempFolder();
    const path = join(folder, "store.json");
    let last = -1;
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await startAndKill(kill, worker("update-forever"), [path]);
      // Each went on from where the one before had come to: nothing that was acknowledged was lost.
      expect(acknowledged[0]).toBeGreaterThan(last);
      last = acknowledged.at(-1) ?? last;
      const { access_token } = JSON.parse(readFileSync(path, "utf8"))[HOST].token;
      expect(Number(access_token)).toBeGreaterThanOrEqual(last);
    }
    await new TokenStore({ path }).update(HOST, async (current) => current);
    expect(readdirSync(folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });
});
