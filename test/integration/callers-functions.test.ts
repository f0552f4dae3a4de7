import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { Config } from "../../src/config.js";
import { CodeFlow } from "../../src/flows/code-flow.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import type { LoginUi } from "../../src/login-ui.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { completeLogin, scriptedPerson, testToken } from "../../src/testing/index.js";
import { toolWorld } from "../support/tool-world.js";

/** What a caller hands in may fail, or never come back: no login is lost by it, and none waits for ever. */

const never = () => new Promise<never>(() => {});
afterEach(() => vi.restoreAllMocks());

describe("a listener that fails", () => {
  it.each(["onEvent", "explain"] as const)(
    "%s: the refresh is stored all the same, and it is told",
    async (name) => {
      const { server, host, clock, alone } = await toolWorld();
      const login = await authenticate(host, { ...alone, ...scriptedPerson() });
      clock.advanceSeconds(280);
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const fails = () => {
        throw new Error("the log is full");
      };
      const renewed = await authenticate(host, { ...alone, interactive: false, [name]: fails });
      expect(renewed.refreshToken).not.toBe(login.refreshToken);
      expect(await alone.store.get(host)).toMatchObject({ refreshToken: renewed.refreshToken });
      expect(server.counts["refreshes"]).toBe(1);
      expect(warned).toHaveBeenCalledWith(`${name} failed: the log is full`, "OidcAuthWarning");
    },
  );
});

describe("an opener that only comes back when its browser is closed", () => {
  async function begin(options: AuthenticateOptions = {}) {
    const { server, alone } = await toolWorld();
    const { ui } = scriptedPerson({ acts: false });
    const { env } = alone;
    const flow = new CodeFlow(server.host, { store: alone.store, env, ui, openBrowser: never, ...options });
    return { ui, token: flow.authenticate() };
  }

  it("does not hold up the login", async () => {
    const { ui, token } = await begin();
    const { url } = await ui.seen("code");
    await completeLogin(url);
    expect((await token).accessToken).not.toBe("");
    expect(ui.steps.map(({ type }) => type)).toEqual(["code", "done"]);
  });

  it("does not hold up the end of the time", async () => {
    const { token } = await begin({ timeout: 0.2 });
    await expect(token).rejects.toMatchObject({ code: "login_timeout" });
  });

  it("tells nothing any more when the login is over", async () => {
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const { ui, token } = await begin({ openBrowser: () => closed });
    await completeLogin((await ui.seen("code")).url);
    await token;
    close();
    await closed;
    await new Promise(setImmediate);
    expect(ui.steps.map(({ type }) => type)).toEqual(["code", "done"]);
  });
});

it("a display that fails where the person asked for the browser ends the login, and nothing else", async () => {
  const { host, alone } = await toolWorld();
  const ui: LoginUi = {
    show: ({ type }) => {
      if (type.startsWith("browser_")) throw new Error("the window is gone");
    },
    waiting: (_until, { openBrowser }) => {
      openBrowser?.();
      return () => {};
    },
  };
  const login = authenticate(host, { ...alone, ui, flow: "device", openBrowser: () => {} });
  await expect(login).rejects.toMatchObject({ code: "login_cancelled" });
});

it("a store that does not answer is waited for until the signal ends", async () => {
  const store = new TokenStore({ backend: Object.assign(memoryBackend(), { get: never }) });
  const signal = AbortSignal.timeout(50);
  const call = authenticate("https://auth.example.org", { store, signal });
  await expect(call).rejects.toMatchObject({ code: "login_timeout" });
});

it("a store that fails when the signal has ended ends nothing but the call", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  onTestFinished(() => void process.off("unhandledRejection", unhandled));
  const ended = new AbortController();
  const get = () => {
    ended.abort();
    return Promise.reject(new Error("it is down"));
  };
  const store = new TokenStore({ backend: Object.assign(memoryBackend(), { get }) });
  const call = authenticate("https://auth.example.org", { store, signal: ended.signal });
  await expect(call).rejects.toMatchObject({ code: "login_cancelled" });
  // Node tells of such a rejection before it comes to this.
  await new Promise(setImmediate);
  expect(unhandled).not.toHaveBeenCalled();
});

it("a fetch that does not heed its signal is left after requestTimeout", async () => {
  const flow = new DeviceFlow("https://auth.example.org", { fetch: never, requestTimeout: 0.1 });
  await expect(flow.getDeviceCode()).rejects.toMatchObject({
    code: "network_error",
    message: expect.stringContaining("did not answer within 0.1 s"),
  });
});

describe("a single refresh", () => {
  it("is not sent where the signal has ended", async () => {
    const { server, host, alone } = await toolWorld();
    const flow = new CodeFlow(host, { ...alone, signal: AbortSignal.abort() });
    await expect(flow.refresh("r")).rejects.toMatchObject({ code: "login_cancelled" });
    expect(server.counts["token:refresh"]).toBeUndefined();
  });

  it.each(["", undefined, 5])("of %j is invalid_config", async (given) => {
    const asked = vi.fn(never);
    for (const Flow of [CodeFlow, DeviceFlow]) {
      const flow = new Flow("https://auth.example.org", { fetch: asked });
      await expect(flow.refresh(given as string)).rejects.toMatchObject({ code: "invalid_config" });
    }
    expect(asked).not.toHaveBeenCalled();
  });
});

it.each([
  [{}, Number.NaN, "interval must be a number of seconds above 0 (it is NaN)"],
  [{}, 0, "interval"],
  [{}, -5, "interval"],
  [{ interval: undefined }, undefined, "interval"],
  [{ expiresIn: undefined }, 5, "code.expiresIn"],
  [{ expiresIn: Number.POSITIVE_INFINITY }, 5, "code.expiresIn"],
])(
  "polling with %j every %j seconds is invalid_config, and asks nobody",
  async (wrong, interval, message) => {
    const uri = "https://auth.example.org/device";
    const code = { uri, verificationUri: uri, userCode: "A", deviceCode: "d", expiresIn: 600, interval: 5 };
    const asked = vi.fn(never);
    const flow = new DeviceFlow("https://auth.example.org", { fetch: asked });
    await expect(flow.poll({ ...code, ...(wrong as object) }, interval)).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining(message),
    });
    expect(asked).not.toHaveBeenCalled();
  },
);

describe("what is of another kind than it must be is invalid_config", () => {
  const options: [string, unknown][] = [
    ...["fetch", "onEvent", "explain", "now", "uptime", "sleep"].map((name): [string, unknown] => [name, 5]),
    ...[null, {}, "soon"].map((value): [string, unknown] => ["signal", value]),
    ...[null, {}, "terminal"].map((value): [string, unknown] => ["ui", value]),
    ...[null, "firefox"].map((value): [string, unknown] => ["openBrowser", value]),
    ["loopbackPages", null],
    ["loginCommand", 5],
    ["credentials", { request: () => {} }],
  ];
  it.each(options)("the option %s: %j", async (name, value) => {
    const call = authenticate("https://auth.example.org", { interactive: false, [name]: value });
    await expect(call).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining(name),
    });
  });

  it.each<[string, () => unknown]>([
    ["encryptionKey", () => new TokenStore({ encryptionKey: null as never })],
    ["work", () => new TokenStore({ backend: memoryBackend() }).update("https://x.org", 5 as never)],
    ["client", () => redisBackend({ client: undefined as never })],
    ["leaseMs", () => redisBackend({ client: { call: never }, leaseMs: 0 })],
    ["waitMs", () => redisBackend({ client: { call: never }, waitMs: Number.NaN })],
    ["waitMs", () => postgresBackend({ url: "postgres://x", waitMs: Number.NaN })],
    ["staleMs", () => postgresBackend({ url: "postgres://x", staleMs: -1 })],
    ["credentials", () => new Config({ host: "https://x.org", credentials: { request: never } as never })],
  ])("%s", async (name, call) => {
    await expect((async () => call())()).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining(name),
    });
  });
});

it("an account in an address may hold a percent sign that encodes nothing", async () => {
  const store = new TokenStore({ backend: memoryBackend() });
  await store.put("https://auth.example.org", testToken(), { account: "100%" });
  expect(await store.get(new URL("https://auth.example.org/#100%"))).toBeDefined();
});
