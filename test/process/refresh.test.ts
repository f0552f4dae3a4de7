import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { type Child, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate.mjs");
const PROCESSES = 8;
const ROUNDS = 20;

/** Sets the clock of a stored login forward, as far as its access token goes. */
function expire(path: string): void {
  const content = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values<{ token: { expires: number } }>(content))
    entry.token.expires = 1_700_000_000;
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
}

async function outcome(child: Child): Promise<string> {
  child.process.stdin?.write("go\n");
  const line = await child.line((text) => /^(token|failed) /.test(text));
  await child.ended();
  return line;
}

it.each(["passthrough", "broker"] as const)(
  `${PROCESSES} processes with an expired token make one refresh, ${ROUNDS} times over (%s)`,
  { timeout: 240_000 },
  async (mode) => {
    const server = await startAuthServer({
      mode,
      deviceInterval: 0.2,
      enforceInterval: false,
      tokenLatency: 30,
    });
    onTestFinished(() => server.close());
    const path = join(tempFolder(), "store.json");
    await logIn(server.host, new TokenStore({ path }));
    for (let round = 1; round <= ROUNDS; round++) {
      expire(path);
      const children = Array.from({ length: PROCESSES }, () => runNode(WORKER, [server.host, path]));
      await Promise.all(children.map((child) => child.line((line) => line === "ready")));
      const outcomes = await Promise.all(children.map(outcome));
      expect(new Set(outcomes).size, outcomes.join("\n")).toBe(1);
      const [authorization = ""] = outcomes.map((line) => line.replace(/^token /, ""));
      expect((await fetch(server.meUrl, { headers: { authorization } })).status).toBe(200);
      expect(server.counts["token:refresh"]).toBe(round);
    }
    expect(server.counts["refreshes"]).toBe(ROUNDS);
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  },
);
