import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createAuthenticator } from "../../src/authenticate.js";
import { keepFresh, putToken } from "../../src/cli/token-file.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { type AuthServer, failures, startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { machine } from "../support/machine.js";
import { tempFolder } from "../support/temp-folder.js";

/** The file with a token that `oidc-auth exec` keeps for its program, on a machine that sleeps and whose clock is set. */

const HOUR_MS = 3600_000;
/** After so many pauses a token of ten minutes has a tenth of its time left. */
const DUE = 108;

interface World {
  readonly server: AuthServer;
  readonly clock: ReturnType<typeof machine>;
}

/** @param during what happens in the pause of that number (from 1), and when the program ends */
async function kept(pauses: number, during: Readonly<Record<number, (world: World) => void>> = {}) {
  const server = await startAuthServer({ deviceInterval: 0.05, accessTokenLifetime: 600 });
  onTestFinished(() => server.close());
  const clock = machine(Date.now());
  const store = new TokenStore({ backend: memoryBackend(), now: clock.now });
  const first = await logIn(server.host, store);
  const path = join(tempFolder(), "token");
  await putToken(path, first);
  const stop = new AbortController();
  const [files, warnings]: [Set<string>, string[]] = [new Set(), []];
  let count = 0;
  const authenticate = createAuthenticator(server.host, {
    ...{ store, env: {}, interactive: false, now: clock.now, uptime: clock.uptime },
    sleep: async (ms, signal) => {
      clock.pass(ms);
      files.add(readdirSync(dirname(path)).join());
      during[++count]?.({ server, clock });
      if (count === pauses) stop.abort();
      signal?.throwIfAborted();
    },
  });
  await keepFresh(path, first, authenticate, (message) => warnings.push(message), stop.signal);
  expect([...files]).toEqual(["token"]);
  const token = readFileSync(path, "utf8");
  const status = (await fetch(server.meUrl, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(status).toBe(200);
  return { renewed: token !== first.accessToken, refreshes: server.counts["token:refresh"] ?? 0, warnings };
}

it("holds the first token while that is good, and another one before it ends", async () => {
  expect(await kept(DUE)).toEqual({ renewed: false, refreshes: 0, warnings: [] });
  expect(await kept(DUE + 1)).toEqual({ renewed: true, refreshes: 1, warnings: [] });
});

it("holds a good token a pause after the machine woke up", async () => {
  const sleep = ({ clock }: World) => clock.pass(3 * HOUR_MS);
  expect(await kept(4, { 3: sleep })).toEqual({ renewed: true, refreshes: 1, warnings: [] });
});

it.each([3 * HOUR_MS, -3 * HOUR_MS])(
  "is renewed when it is due, though the clock was set by %i ms",
  async (by) => {
    const set = ({ clock }: World) => clock.setClock(by);
    expect(await kept(DUE, { 3: set })).toEqual({ renewed: false, refreshes: 0, warnings: [] });
    expect(await kept(DUE + 1, { 3: set })).toEqual({ renewed: true, refreshes: 1, warnings: [] });
  },
);

it("keeps its token where the server fails, says so, and tries again in a moment", async () => {
  const fail = ({ server }: World) => server.fail("token", failures.internalError);
  const { renewed, refreshes, warnings } = await kept(DUE + 2, { 3: fail });
  expect({ renewed, refreshes }).toEqual({ renewed: true, refreshes: 2 });
  expect(warnings).toEqual([expect.stringMatching(/^the token was not renewed: .*500/)]);
});
