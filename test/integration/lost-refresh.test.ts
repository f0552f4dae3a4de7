import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { TokenStore } from "../../src/store/token-store.js";
import {
  type AuthServer,
  type AuthServerOptions,
  fakeClock,
  memoryStore,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import type { Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

type Kind = "memory" | "file";

interface World {
  readonly server: AuthServer;
  readonly store: TokenStore;
  readonly events: AuthEvent[];
  readonly told: string[];
  /** What the entry of the file remembers, in Unix seconds. */
  mark(): unknown;
  login(more?: AuthenticateOptions): Promise<Token>;
  /** One call that renews the login, at which the server does it and its answer does not arrive. */
  lose(): Promise<void>;
}

/** A login that has to be renewed by whoever uses it next. */
async function world(serverOptions: AuthServerOptions = {}, kind: Kind = "file"): Promise<World> {
  const clock = fakeClock();
  const server = await startAuthServer({ now: clock.now, ...serverOptions });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  const store = kind === "file" ? new TokenStore({ path, now: clock.now }) : memoryStore({ now: clock.now });
  const events: AuthEvent[] = [];
  const told: string[] = [];
  const login = (more?: AuthenticateOptions) =>
    authenticate(server.host, {
      ...{ store, ...clock, ...scriptedPerson(), env: {}, flow: "device" },
      onEvent: (event) => events.push(event),
      explain: (sentence) => told.push(sentence),
      ...more,
    });
  await login();
  clock.advanceSeconds(3600 - 3);
  server.resetCounts();
  events.length = 0;
  return {
    ...{ server, store, events, told, login },
    mark: () =>
      Object.values<Record<string, unknown>>(JSON.parse(readFileSync(path, "utf8")))[0]?.["refresh_lost_at"],
    lose: async () => {
      server.fail("token", "lost-answer", 1, "refresh");
      await expect(login({ interactive: false })).rejects.toMatchObject({
        code: "network_error",
        answerLost: true,
        hint: expect.stringContaining("the next call tries it once more"),
      });
    },
  };
}

const LOST = "the answer to its last renewal was lost on the way";
const ENDED = "it was ended, or its refresh token was used by somebody else";
const types = (events: readonly AuthEvent[]) => events.map(({ type }) => type);

describe.each(["passthrough", "broker"] as const)("a renewal whose answer was lost, in %s mode", (mode) => {
  it.each(["file", "memory"] as const)(
    "is tried once more; where that is refused one login is asked for, and the reason told: %s",
    async (kind) => {
      const { server, events, told, login, lose } = await world({ mode }, kind);
      await lose();
      expect(types(events)).toEqual(["refresh_started", "refresh_lost"]);
      await login();
      expect(server.counts).toMatchObject({ "token:refresh": 2, device: 1 });
      expect(events.find(({ type }) => type === "refresh_refused")).toMatchObject({
        reason: expect.stringContaining(LOST),
      });
      expect(told).toContainEqual(expect.stringContaining("is tried once more"));
      expect(told.filter((one) => one.startsWith("A login is needed"))).toEqual([
        "A login is needed: no login is stored for it.",
        expect.stringContaining(LOST),
      ]);
      // It is over with that login: the new one is reused.
      for (let run = 0; run < 3; run++) await login({ interactive: false });
      expect(server.counts).toMatchObject({ "token:refresh": 2, device: 1 });
    },
  );

  it.each(["file", "memory"] as const)(
    "is tried once more, and works where the server takes the old token again for a while: %s",
    async (kind) => {
      const { server, events, login, lose } = await world({ mode, refreshGracePeriod: 60 }, kind);
      await lose();
      events.length = 0;
      const token = await login({ interactive: false });
      expect((await fetch(server.meUrl, { headers: token.headers })).status).toBe(200);
      // The clock of the test runs ahead, which is told, too.
      expect(types(events).filter((type) => type !== "warning")).toEqual(["refresh_started", "refreshed"]);
      expect(events[0]).toMatchObject({ lostAt: expect.any(Number) });
      for (let run = 0; run < 3; run++) await login({ interactive: false });
      expect(server.counts["token:refresh"]).toBe(2);
      expect(server.counts["device"]).toBeUndefined();
    },
  );

  it("is no loop where nobody can be asked: the old token is sent once more, then never again", async () => {
    const { server, login, lose } = await world({ mode });
    await lose();
    await expect(login({ interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
      message: expect.stringContaining(LOST),
    });
    for (let run = 0; run < 3; run++) {
      await expect(login({ interactive: false })).rejects.toMatchObject({ code: "interaction_required" });
    }
    expect(server.counts["token:refresh"]).toBe(2);
    expect(server.counts["device"]).toBeUndefined();
  });
});

describe("what the store remembers of it", () => {
  it("is the time of the first loss, until the login is renewed", async () => {
    const { mark, login, lose } = await world({ refreshGracePeriod: 600 });
    expect(mark()).toBeUndefined();
    await lose();
    const first = mark();
    expect(first).toEqual(expect.any(Number));
    await lose();
    expect(mark()).toBe(first);
    await login({ interactive: false });
    expect(mark()).toBeUndefined();
  });

  it("is nothing where the server surely did not renew it", async () => {
    const { server, mark, login } = await world();
    server.fail("token", { status: 429, body: "" }, 3, "refresh");
    await expect(login({ interactive: false })).rejects.toMatchObject({
      unprocessed: true,
      answerLost: false,
    });
    expect(mark()).toBeUndefined();
    await login({ interactive: false });
  });
});

it("a refusal without a loss before says that the login was ended or used elsewhere", async () => {
  const { server, login } = await world();
  await server.revokeAll();
  const refused = login({ interactive: false });
  await expect(refused).rejects.toMatchObject({
    code: "interaction_required",
    message: expect.stringContaining(ENDED),
  });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining(LOST) });
});

it("a refresh token that a thief was quicker with is told as such, and not as lost", async () => {
  const { server, store, login } = await world();
  const stolen = (await store.get(server.host))?.refreshToken ?? "";
  const body = new URLSearchParams({ "refresh-token": stolen });
  expect((await fetch(`${server.host}/auth/v2/token`, { method: "POST", body })).status).toBe(200);
  await expect(login({ interactive: false })).rejects.toMatchObject({
    code: "interaction_required",
    message: expect.stringContaining("used by somebody else, or by another program that has a copy of it"),
  });
});

it("at an issuer it is the same: tried once more, then told", async () => {
  const { server, store } = await world();
  const clock = fakeClock();
  const target = { issuer: server.issuer, clientId: server.clientId };
  const call = (more: AuthenticateOptions) => authenticate(target, { store, ...clock, env: {}, ...more });
  await call({ ...scriptedPerson(), flow: "device" });
  clock.advanceSeconds(300 - 3);
  server.resetCounts();
  server.fail("token", "lost-answer", 1, "refresh");
  await expect(call({ interactive: false })).rejects.toMatchObject({
    code: "network_error",
    answerLost: true,
  });
  await expect(call({ interactive: false })).rejects.toMatchObject({
    code: "interaction_required",
    message: expect.stringContaining(LOST),
  });
  await expect(call({ interactive: false })).rejects.toMatchObject({ code: "interaction_required" });
  expect(server.counts["token:refresh"]).toBe(2);
});
