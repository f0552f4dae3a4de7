import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { expect, it, onTestFinished } from "vitest";
import { CodeFlow } from "../../src/flows/code-flow.js";
import type { Target } from "../../src/flows/session.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { completeLogin, scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { ATTACK_KINDS } from "../support/callback-attacks.js";
import { startIssuer } from "../support/issuer.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** A login in the browser while its listener is attacked from another process, over the wire. */

const WORKER = join(import.meta.dirname, "../process/workers/listener-storm.ts");
/** So many are sent before what is kept is measured for the first time: all that is made once has been made. */
const WARM_UP = 10_000;
/** To repeat a storm: STORM_SEED=… */
const SEED = Number(process.env["STORM_SEED"] ?? 20_260_101);
/** How much (bytes) the listener's process may grow. Each request leaves far less than a kilobyte, for a moment. */
const MAX_HEAP_GROWTH = 16 * 1024 * 1024;
const MAX_RSS_GROWTH = 150 * 1024 * 1024;

/** What each storm is made of. */
const KINDS = [...ATTACK_KINDS, "slow"];

/** The worker as one file, which each runtime can run. */
async function builtWorker(): Promise<string> {
  const outfile = join(tempFolder(), "listener-storm.mjs");
  await build({ entryPoints: [WORKER], outfile, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

/** What is really kept: measured when nothing is left to be collected. */
function memory(): { heap: number; rss: number } {
  const { Bun } = globalThis as { Bun?: { gc(synchronous: boolean): void } };
  if (Bun) Bun.gc(true);
  else {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

/** Two kinds of servers: how often a code was redeemed there, and whether a token is good. */
const SERVERS = {
  "a server with the py-oidc-auth routes": async () => {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    return {
      target: server.host as Target,
      redeemed: () => server.counts["token"] ?? 0,
      uses: server.meUrl,
    };
  },
  "an issuer": async () => {
    const { issuer, count } = await startIssuer();
    return {
      target: { issuer, clientId: "cli" } as Target,
      redeemed: () => count("/token"),
      uses: `${issuer}/me`,
    };
  },
};

// What a storm meets is the same at both, but for the comparing of states.
it.each([
  [100_000, "a server with the py-oidc-auth routes"],
  [30_000, "an issuer"],
] as const)(
  "%i requests neither complete nor end a login at %s, and the true answer comes through",
  { timeout: 300_000 },
  async (most, kind) => {
    const { target, redeemed, uses } = await SERVERS[kind]();
    const faults: unknown[] = [];
    const onFault = (fault: unknown) => {
      // What a runtime says of its own libraries is none.
      if (!(fault instanceof Error && fault.name === "DeprecationWarning")) faults.push(fault);
    };
    for (const event of ["unhandledRejection", "uncaughtException", "warning"]) {
      process.on(event, onFault);
      onTestFinished(() => void process.off(event, onFault));
    }
    const ui = scriptedPerson({ acts: false }).ui;
    let ignored = 0;
    const flow = new CodeFlow(target, {
      store: new TokenStore({ backend: memoryBackend() }),
      ui,
      env: {},
      openBrowser: false,
      timeout: 600,
      onEvent: ({ type }) => {
        if (type === "callback_ignored") ignored++;
      },
    });
    const login = flow.authenticate();
    // Should the storm end it, that is told at once.
    const hint = `the login was ended by the storm: STORM_SEED=${SEED}`;
    const ended = login.then(
      () => Promise.reject(new Error(hint)),
      (error: unknown) => Promise.reject(new Error(hint, { cause: error })),
    );
    ended.catch(() => {});
    const { url, redirectUri, port } = await ui.seen("code");
    const state = new URL(url).searchParams.get("state") ?? "";

    const settings = { port, path: new URL(redirectUri).pathname, state, seed: SEED };
    const storm = runNode(await builtWorker(), [JSON.stringify(settings)]);
    const sentSoFar = (many: number) => Promise.race([storm.line((line) => line === `sent ${many}`), ended]);
    await sentSoFar(WARM_UP);
    const before = memory();
    await sentSoFar(most);
    const after = memory();
    expect(redeemed(), hint).toBe(0);
    // In the midst of it, and at the first try. A code is good for a minute: it must not wait for the storm.
    const callback = await completeLogin(url, { visitCallback: false });
    expect(callback.searchParams.get("state")).toBe(state);
    const answer = await fetch(callback);
    expect(answer.status, hint).toBe(200);
    expect(await answer.text()).toContain("You are logged in");
    const token = await login;
    expect(redeemed()).toBe(1);
    storm.process.stdin?.write("enough\n");
    await storm.ended();

    const { sent, counts, kinds } = JSON.parse(storm.lines.at(-1) ?? "{}");
    console.info(`${sent} requests, ${ignored} for the handler`, { counts, kinds, before, after });
    expect(sent).toBeGreaterThanOrEqual(most);
    // It was of each kind, and reached all that there is to reach: the parser, each refusal, and the comparing of states.
    for (const status of [400, 404, 405, 421, 431])
      expect(counts[status] ?? 0, String(status)).toBeGreaterThan(most / 1000);
    for (const one of KINDS) expect(kinds[one] ?? 0, one).toBeGreaterThan(most / 100);
    expect(ignored).toBeGreaterThan(most / 10);
    expect(Object.keys(counts).filter((one) => /^[235]/.test(one))).toEqual([]);
    expect(after.heap - before.heap).toBeLessThan(MAX_HEAP_GROWTH);
    expect(after.rss - before.rss).toBeLessThan(MAX_RSS_GROWTH);
    expect(faults).toEqual([]);
    expect((await fetch(uses, { headers: token.headers })).status).toBe(200);
  },
);
