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
/** In the pause of this number a token that has 598 of its 600 seconds left comes to have a tenth of them. */
const DUE = 108;
/** By then it is another one, though a look may come a moment too early. */
const DONE = DUE + 2;

interface World {
  readonly server: AuthServer;
  readonly clock: ReturnType<typeof machine>;
}

/** @param during what happens in the pause of that number (from 1), and when the program ends */
async function kept(pauses: number, during: Readonly<Record<number, (world: World) => void>> = {}) {
  const server = await startAuthServer({ deviceInterval: 0.05, accessTokenLifetime: 600 });
  onTestFinished(() => server.close());
  const backend = memoryBackend();
  const first = await logIn(server.host, new TokenStore({ backend }));
  const clock = machine((first.expiresAt - 598) * 1000);
  const store = new TokenStore({ backend, now: clock.now });
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
  expect(await kept(DONE)).toEqual({ renewed: true, refreshes: 1, warnings: [] });
});

it("holds a good token two pauses after the machine woke up", async () => {
  const sleep = ({ clock }: World) => clock.pass(3 * HOUR_MS);
  expect(await kept(5, { 3: sleep })).toEqual({ renewed: true, refreshes: 1, warnings: [] });
});

it.each([3 * HOUR_MS, -3 * HOUR_MS])(
  "is renewed when it is due, though the clock was set by %i ms",
  async (by) => {
    const set = ({ clock }: World) => clock.setClock(by);
    expect(await kept(DUE, { 3: set })).toEqual({ renewed: false, refreshes: 0, warnings: [] });
    expect(await kept(DONE, { 3: set })).toEqual({ renewed: true, refreshes: 1, warnings: [] });
  },
);

it("keeps its token where the server fails, says so, and tries again in a moment", async () => {
  const fail = ({ server }: World) => server.fail("token", failures.internalError);
  const { renewed, refreshes, warnings } = await kept(DONE + 1, { 3: fail });
  expect({ renewed, refreshes }).toEqual({ renewed: true, refreshes: 2 });
  expect(warnings).toEqual([expect.stringMatching(/^the token was not renewed: .*500/)]);
});
