import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import { uptime } from "../../src/flows/uptime.js";
import type { LoginOptions } from "../../src/options.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { type AuthServerOptions, approveDevice, startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { machine } from "../support/machine.js";

const HOURS_MS = 3600_000;

async function made(serverOptions: AuthServerOptions = {}, options: LoginOptions = {}) {
  const server = await startAuthServer({ deviceInterval: 5, enforceInterval: false, ...serverOptions });
  onTestFinished(() => server.close());
  const clock = machine();
  /** What happens during the pause of this number (from 1). */
  const during = new Map<number, () => unknown>();
  let pauses = 0;
  const flow = new DeviceFlow(server.host, {
    store: new TokenStore({ backend: memoryBackend() }),
    env: {},
    now: clock.now,
    uptime: clock.uptime,
    sleep: async (ms, signal) => {
      pauses++;
      clock.pass(ms);
      await during.get(pauses)?.();
      signal?.throwIfAborted();
    },
    ...options,
  });
  const code = await flow.getDeviceCode();
  const polls = () => server.counts["token:device"] ?? 0;
  return { server, clock, flow, code, during, polls, pauses: () => pauses };
}

describe("a machine that falls asleep while a code is waited for", () => {
  it("wakes up to an error where the code has ended meanwhile, and asks the server no more", async () => {
    const { flow, code, during, clock, polls } = await made({ deviceCodeLifetime: 600 });
    during.set(3, () => clock.pass(3 * HOURS_MS));
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "expired_token" });
    expect(polls()).toBe(2);
  });

  it("goes on where the code is still good", async () => {
    const { flow, code, during, clock } = await made({ deviceCodeLifetime: 3600 });
    during.set(3, () => clock.pass(0.9 * HOURS_MS));
    during.set(5, () => approveDevice(code.uri));
    expect(await flow.poll(code)).toMatchObject({ tokenType: "Bearer" });
  });

  it("whose connection is dead when it wakes up asks once more", async () => {
    const { server, flow, code, during, clock } = await made({ deviceCodeLifetime: 3600 });
    during.set(2, () => {
      clock.pass(0.5 * HOURS_MS);
      server.fail("token", "reset");
    });
    during.set(3, () => approveDevice(code.uri));
    expect(await flow.poll(code)).toMatchObject({ tokenType: "Bearer" });
  });

  it("has no time left where the person had less", async () => {
    const { flow, code, during, clock } = await made({ deviceCodeLifetime: 6 * 3600 }, { timeout: 120 });
    during.set(2, () => clock.pass(HOURS_MS));
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "login_timeout" });
  });
});

describe("a clock that is set while a code is waited for", () => {
  it.each([
    ["forward", 3 * HOURS_MS],
    ["back", -3 * HOURS_MS],
    ["to 1970", -1_900_000_000_000],
  ])(
    "%s changes nothing: neither how long it is good, nor how often the server is asked",
    async (_name, by) => {
      const still = await made({ deviceCodeLifetime: 100 });
      await expect(still.flow.poll(still.code)).rejects.toMatchObject({ code: "expired_token" });
      const { flow, code, during, clock, polls, pauses } = await made({ deviceCodeLifetime: 100 });
      during.set(2, () => clock.setClock(by));
      await expect(flow.poll(code)).rejects.toMatchObject({ code: "expired_token" });
      expect([polls(), pauses()]).toEqual([still.polls(), still.pauses()]);
      expect(polls()).toBeGreaterThan(10);
    },
  );
});

describe("a stored login, and a clock that is set", () => {
  async function stored() {
    const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
    onTestFinished(() => server.close());
    let skew = 0;
    const now = () => Date.now() + skew;
    const store = new TokenStore({ backend: memoryBackend(), now });
    const refreshes = () => server.counts["token:refresh"] ?? 0;
    const get = () => authenticate(server.host, { store, now, interactive: false });
    return { server, store, refreshes, get, setClock: (ms: number) => (skew = ms) };
  }

  it("back by a day is renewed once: its end says nothing any more", async () => {
    const { server, store, get, refreshes, setClock } = await stored();
    await logIn(server.host, store);
    setClock(-24 * HOURS_MS);
    const renewed = await get();
    expect((await fetch(server.meUrl, { headers: renewed.headers })).status).toBe(200);
    expect(await get()).toEqual(renewed);
    expect(refreshes()).toBe(1);
  });

  it("back by a minute, as a time server does it, is used on", async () => {
    const { server, store, get, refreshes, setClock } = await stored();
    const token = await logIn(server.host, store);
    setClock(-60_000);
    expect((await get()).accessToken).toBe(token.accessToken);
    expect(refreshes()).toBe(0);
  });

  it("forward is renewed, and back again once more; no login is lost", async () => {
    const { server, store, get, refreshes, setClock } = await stored();
    await logIn(server.host, store);
    setClock(24 * HOURS_MS);
    await get();
    await get();
    expect(refreshes()).toBe(1);
    setClock(0);
    const renewed = await get();
    expect(await get()).toEqual(renewed);
    expect(refreshes()).toBe(2);
    expect((await fetch(server.meUrl, { headers: renewed.headers })).status).toBe(200);
  });
});

describe("the time that goes by", () => {
  const real = os.uptime;

  function machineSays(seconds: () => number): void {
    os.uptime = seconds;
    syncBuiltinESMExports();
  }

  afterEach(() => {
    machineSays(real);
    vi.restoreAllMocks();
  });

  it("holds how long the machine slept, and not what its clock shows", () => {
    const before = uptime();
    vi.spyOn(Date, "now").mockReturnValue(0);
    expect(uptime() - before).toBeLessThan(HOURS_MS / 2);
    machineSays(() => real() + 3600);
    const after = uptime() - before;
    expect(after).toBeGreaterThan(0.99 * HOURS_MS);
    expect(after).toBeLessThan(1.5 * HOURS_MS);
    // The same sleep is counted once.
    expect(uptime() - before).toBeLessThan(1.5 * HOURS_MS);
  });

  it("never runs backwards, and goes as the process's own while nobody sleeps", () => {
    let last = uptime();
    for (let n = 0; n < 1000; n++) {
      const next = uptime();
      expect(next).toBeGreaterThanOrEqual(last);
      last = next;
    }
    const [begin, at] = [performance.now(), uptime()];
    expect(Math.abs(uptime() - at - (performance.now() - begin))).toBeLessThan(1000);
  });

  it("is the process's own where the machine may not be asked", () => {
    machineSays(() => {
      throw new Error("No.");
    });
    const before = uptime();
    expect(uptime()).toBeGreaterThanOrEqual(before);
  });
});
