import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { startFaultProxy } from "../support/fault-proxy.js";
import { logIn } from "../support/login.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate.mjs");

it.each([
  ["works where the server takes the old refresh token again", 600, undefined],
  [
    "is told as the reason where the server does not",
    0,
    "the answer to its last renewal was lost on the way",
  ],
] as const)(
  "a process killed while its renewal is on the way counts as an answer lost: the next one tries once more, which %s",
  { timeout: 60_000 },
  async (_outcome, refreshGracePeriod, reason) => {
    const server = await startAuthServer({ refreshGracePeriod, enforceInterval: false });
    onTestFinished(() => server.close());
    const proxy = await startFaultProxy();
    onTestFinished(() => proxy.close());
    proxy.forwardTo(server.host);
    const path = join(tempFolder(), "store.json");
    const store = new TokenStore({ path });
    await logIn(proxy.origin, store);
    const content = JSON.parse(readFileSync(path, "utf8"));
    for (const entry of Object.values<{ token: { expires: number } }>(content))
      entry.token.expires = 1_700_000_000;
    writeFileSync(path, JSON.stringify(content), { mode: 0o600 });

    // The server renews it, and its answer does not arrive for as long as the process lives.
    let mute = true;
    proxy.run("", () => (mute ? { stall: "after" } : undefined));
    const child = runNode(WORKER, [proxy.origin, path]);
    child.process.stdin?.write("go\n");
    await expect.poll(() => server.counts["refreshes"], { timeout: 20_000 }).toBe(1);
    child.process.kill("SIGKILL");
    await child.ended();
    mute = false;

    const events: AuthEvent[] = [];
    const next = authenticate(proxy.origin, {
      store,
      interactive: false,
      onEvent: (event) => events.push(event),
    });
    if (reason === undefined)
      expect((await fetch(server.meUrl, { headers: (await next).headers })).status).toBe(200);
    else
      await expect(next).rejects.toMatchObject({
        code: "interaction_required",
        message: expect.stringContaining(reason),
      });
    expect(events[0]).toMatchObject({ type: "refresh_started", lostAt: expect.any(Number) });
    expect(server.counts["token:refresh"]).toBe(2);
  },
);
