import { getEventListeners } from "node:events";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { tokenExchange } from "../../src/credentials/grants.js";
import { TokenStore } from "../../src/store/token-store.js";
import { scriptedPerson } from "../../src/testing/index.js";
import { startApi } from "../support/api.js";
import { issuerWorld } from "../support/issuer-world.js";
import { tempFolder } from "../support/temp-folder.js";
import { me, toolWorld } from "../support/tool-world.js";

/** Calls of one process that come at once share their work only where they are about the very same login. */

it("two accounts that are renewed at once each get their own token, and calls for the same one share it", async () => {
  const { server, host, clock, alone } = await toolWorld({ enforceInterval: false });
  const store = new TokenStore({ path: join(tempFolder(), "store.json"), now: clock.now });
  const people = ["alice", "bob"];
  for (const name of people)
    await authenticate(host, { ...alone, ...scriptedPerson({ name }), store, account: name });
  clock.advanceSeconds(280);
  const renew = (account: string) => authenticate(host, { ...alone, store, account, interactive: false });
  const [alice, bob, aliceToo] = await Promise.all([renew("alice"), renew("bob"), renew("alice")]);
  expect(await me(server, alice.headers)).toMatchObject({ username: "alice" });
  expect(await me(server, bob.headers)).toMatchObject({ username: "bob" });
  expect(aliceToo).toBe(alice);
  expect(server.counts["refreshes"]).toBe(2);
});

it("two calls that end by the same signal end the login under way, too", async () => {
  const { host, alone } = await toolWorld();
  const { ui } = scriptedPerson({ acts: false });
  const abort = new AbortController();
  const options = { ...alone, ui, flow: "code", openBrowser: false, signal: abort.signal } as const;
  const calls = Promise.allSettled([authenticate(host, options), authenticate(host, options)]);
  const { redirectUri } = await ui.seen("code");
  expect((await fetch(redirectUri)).status).toBe(400);
  abort.abort();
  const cancelled = { status: "rejected", reason: { code: "login_cancelled" } };
  expect(await calls).toMatchObject([cancelled, cancelled]);
  expect(ui.steps.map(({ type }) => type)).toEqual(["code", "failed"]);
  await expect(fetch(redirectUri)).rejects.toThrow();
});

it("two subjects whose tokens are exchanged at once each get their own", async () => {
  const answer = (body: object) => JSON.stringify(body);
  const type = { "content-type": "application/json" };
  const held: (() => void)[] = [];
  const api = await startApi(({ path, body }, { response }) => {
    if (path !== "/token")
      return [200, type, answer({ issuer: api.url, token_endpoint: `${api.url}/token` })];
    const subject = new URLSearchParams(body).get("subject_token");
    held.push(() =>
      response.writeHead(200, type).end(answer({ access_token: `for-${subject}`, token_type: "Bearer" })),
    );
    // Neither is answered before both have asked.
    if (held.length === 2) for (const release of held) release();
    return undefined;
  });
  const { options } = issuerWorld({ issuer: api.url, clientId: "c" });
  const exchange = (subjectToken: string) =>
    authenticate({ issuer: api.url, clientId: "c", credentials: tokenExchange({ subjectToken }) }, options);
  const tokens = await Promise.all(["alice-token", "bob-token"].map(exchange));
  expect(tokens.map(({ accessToken }) => accessToken)).toEqual(["for-alice-token", "for-bob-token"]);
});

it("many calls that end by one signal are no leak of listeners: nothing warns of one", async () => {
  const { server, host, clock, alone } = await toolWorld({ enforceInterval: false });
  await authenticate(host, { ...alone, ...scriptedPerson() });
  const warned = vi.spyOn(process, "emitWarning");
  onTestFinished(() => warned.mockRestore());
  const { signal } = new AbortController();
  const calls = () => Promise.all(Array.from({ length: 30 }, () => authenticate(host, { ...alone, signal })));
  await calls();
  clock.advanceSeconds(280);
  await calls();
  expect(server.counts["refreshes"]).toBe(1);
  expect(warned).not.toHaveBeenCalled();
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
