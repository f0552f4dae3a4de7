import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/put-forever.mjs");
const KILLS = 200;

it(`a store survives ${KILLS} kills in the middle of writing`, { timeout: 240_000 }, async () => {
  const folder = tempFolder();
  const path = join(folder, "store.json");
  const acknowledged = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    const name = `worker${kill % 2}`;
    const child = runNode(WORKER, [path, name]);
    // A moment that differs each time, from within the first write to some writes later.
    await child.line((line) => line === `acknowledged ${kill % 5}`);
    const spin = performance.now() + (kill % 41) / 8;
    while (performance.now() < spin);
    child.process.kill("SIGKILL");
    await child.ended();
    for (const line of child.lines) {
      const n = Number(line.split(" ")[1]);
      acknowledged.set(`https://${name}-${n % 20}.example.org`, n);
    }
    const content = JSON.parse(readFileSync(path, "utf8"));
    for (const [host, n] of acknowledged) {
      // Written at least as late as it was acknowledged in this round, or whole from an earlier one.
      expect(content[host].token.access_token).toMatch(/^\d+$/);
      expect(content[host].token.headers.Authorization).toBe(`Bearer ${content[host].token.access_token}`);
      if (child.lines.includes(`acknowledged ${n}`)) {
        expect(Number(content[host].token.access_token)).toBeGreaterThanOrEqual(n);
      }
    }
  }
  // The next process goes on at once, and takes over what the last one left.
  await new TokenStore({ path }).put(
    "https://last.example.org",
    new Token({ accessToken: "x", expiresAt: 4e9 }),
  );
  expect(readdirSync(folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
});
