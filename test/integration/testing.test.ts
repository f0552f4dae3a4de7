import { createServer, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { Config } from "../../src/config.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import type { LoginStep } from "../../src/login-ui.js";
import { logout } from "../../src/logout.js";
import {
  type AuthServer,
  approveDevice,
  failures,
  memoryStore,
  scriptedPerson,
  startAuthServer,
  testToken,
} from "../../src/testing/index.js";
import { userinfo } from "../../src/userinfo.js";
import { me, toolWorld } from "../support/tool-world.js";

/** What the authors of tools are given for their own tests. */

describe("the provider behind the server, as a target of its own", () => {
  it.each(["code", "device"] as const)("logs in by %s, renews, and is counted", async (flow) => {
    const { server, target, clock, alone } = await toolWorld();
    const person = scriptedPerson({ name: "bea" });
    const token = await authenticate(target, { ...alone, ...person, flow });
    expect(await me(server, token.headers)).toMatchObject({ username: "bea" });
    expect(await userinfo(target, alone)).toMatchObject({ sub: "bea" });
    clock.advanceSeconds(290);
    const renewed = await authenticate(target, { ...alone, interactive: false });
    expect(await me(server, renewed.headers)).toMatchObject({ username: "bea" });
    expect(server.counts).toMatchObject({
      [`token:${flow}`]: 1,
      "token:refresh": 1,
      refreshes: 1,
      discovery: 1,
    });
    expect(server.requests).toContainEqual({
      method: "POST",
      path: "/token",
      names: expect.arrayContaining(["grant_type", "refresh_token", "client_id"]),
    });
  });

  it("states the interval, holds to it, and fails as it is told to", async () => {
    const { server, target, clock, alone } = await toolWorld({ deviceInterval: 7 });
    const flow = new DeviceFlow(target, { ...alone, ...scriptedPerson() });
    const code = await flow.getDeviceCode();
    expect(code.interval).toBe(7);
    server.slowDown(1);
    server.fail("token", failures.providerDown, 1, "device");
    const polled = flow.poll(code);
    await expect.poll(() => server.counts["token:device"] ?? 0).toBeGreaterThan(3);
    await server.approveDevice(code.userCode);
    expect(await me(server, (await polled).headers)).toMatchObject({ username: "alice" });
    expect(clock.pauses.slice(0, 3).map((ms) => Math.round(ms / 1000))).toEqual([7, 7, 12]);
  });

  it("refuses who polls too quickly", async () => {
    // On the server's clock no time passes between the polls.
    const { target, clock, alone } = await toolWorld({ now: () => 0 });
    const flow = new DeviceFlow(target, alone);
    const code = await flow.getDeviceCode();
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "expired_token" });
    const seconds = clock.pauses.slice(0, 4).map((ms) => Math.floor(ms / 1000));
    expect(seconds).toEqual([5, 5, 10, 15]);
  });

  it("logs out without a word in the output of the test", async () => {
    const said = [vi.spyOn(console, "info"), vi.spyOn(console, "warn")];
    onTestFinished(() => said.forEach((spy) => void spy.mockRestore()));
    const { server, target, alone } = await toolWorld();
    const token = await authenticate(target, { ...alone, ...scriptedPerson(), flow: "code" });
    const { revoked, endSessionUrl = "" } = await logout(target, alone);
    expect(revoked).toBe(true);
    expect((await fetch(server.meUrl, { headers: token.headers })).status).toBe(401);
    expect((await fetch(endSessionUrl)).status).toBe(200);
    const end = await fetch(`${server.issuer}/session/end/success`);
    expect([end.status, await end.text()]).toEqual([200, expect.stringContaining("You are signed out")]);
    expect(said.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });

  it("revokes, and goes down, as the routes do", async () => {
    const { server, target, clock, alone } = await toolWorld();
    await authenticate(target, { ...alone, ...scriptedPerson() });
    await server.revokeAll();
    clock.advanceSeconds(290);
    await expect(authenticate(target, { ...alone, interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
      cause: expect.objectContaining({ code: "invalid_grant" }),
    });
    await server.stopProvider();
    const login = (flow: "device" | "code") => authenticate(target, { ...alone, ...scriptedPerson(), flow });
    await expect(login("device")).rejects.toMatchObject({ code: "network_error" });
    await expect(login("code")).rejects.toThrow(/The person's browser cannot open http:\S+\/auth/);
    await server.startProvider();
    expect(await login("code")).toBeTruthy();
  });

  it("is asked with a form that comes in pieces, and still knows what for", async () => {
    const { server } = await toolWorld();
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id: "cli" });
    const body = String(form);
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = request(`${server.issuer}/token`, { method: "POST", headers }, resolve);
      asking.on("error", reject).write(body.slice(0, 20), () => asking.end(body.slice(20)));
    });
    expect([answer.statusCode, JSON.parse(await text(answer)).error]).toEqual([400, "invalid_grant"]);
    expect(server.counts).toEqual({ token: 1, "token:refresh": 1 });
  });

  it("has no device flow where there is to be none", async () => {
    const { server, target, alone } = await toolWorld({ deviceFlow: false });
    await expect(new DeviceFlow(target, alone).getDeviceCode()).rejects.toMatchObject({
      code: "device_flow_unsupported",
    });
    const token = await authenticate(target, { ...alone, ...scriptedPerson() });
    expect(await me(server, token.headers)).toMatchObject({ username: "alice" });
  });
});

describe("approving a device", () => {
  it.each([
    ["by the server that gave it", (server: AuthServer, code: string) => server.approveDevice(code)],
    ["with that server named", (server: AuthServer, code: string) => approveDevice(code, { server })],
  ])("the bare code is typed, %s", async (_name, approve) => {
    const { server, host, alone } = await toolWorld();
    const flow = new DeviceFlow(host, alone);
    const code = await flow.getDeviceCode();
    await approve(server, code.userCode);
    expect(await me(server, (await flow.poll(code)).headers)).toMatchObject({ username: "alice" });
  });

  it("says what is wrong: a code that is not valid, one of no server", async () => {
    const { server } = await toolWorld();
    await expect(server.approveDevice("WRNG-CODE")).rejects.toThrow("not valid");
    await expect(approveDevice("WRNG-CODE")).rejects.toThrow("server.approveDevice(code)");
  });
});

describe("the scripted person", () => {
  it("denies, in either way", async () => {
    const { host, alone } = await toolWorld();
    for (const flow of ["device", "code"] as const) {
      const login = authenticate(host, { ...alone, ...scriptedPerson({ deny: true }), flow });
      await expect(login).rejects.toMatchObject({ code: "access_denied" });
    }
  });

  it("is asked once, and keeps what they were shown", async () => {
    const { server, host, alone } = await toolWorld();
    const person = scriptedPerson();
    await authenticate(host, { ...alone, ...person, flow: "code" });
    expect(person.ui.steps.map(({ type }) => type)).toEqual(["code", "browser_opened", "done"]);
    expect(server.counts["login"]).toBe(1);
    expect((await person.ui.seen("code")).url).toContain(server.issuer);
  });

  it("will do as a browser alone, where a program has its own display", async () => {
    const { server, host, alone } = await toolWorld();
    const { openBrowser, interactive } = scriptedPerson({ name: "cleo" });
    const ui = { show() {} };
    const token = await authenticate(host, { ...alone, ui, openBrowser, interactive, flow: "code" });
    expect(await me(server, token.headers)).toMatchObject({ username: "cleo" });
  });

  it("lets the test act where it wants to", async () => {
    const { server, host, alone } = await toolWorld();
    const person = scriptedPerson({ acts: false });
    const login = authenticate(host, { ...alone, ...person });
    const { code } = await person.ui.seen("device");
    await server.approveDevice(code.userCode, { name: "dora" });
    expect(await me(server, (await login).headers)).toMatchObject({ username: "dora" });
  });

  it("does what the test says instead, and the login waits for it", async () => {
    const { server, host, alone } = await toolWorld();
    const acts = async (step: LoginStep) => {
      if (step.type === "device") await server.approveDevice(step.code.userCode, { name: "eva" });
    };
    const token = await authenticate(host, { ...alone, ...scriptedPerson({ acts }) });
    expect(await me(server, token.headers)).toMatchObject({ username: "eva" });
    expect(server.counts["token:device"]).toBe(1);
  });

  it("can be reached in CI, too, and ends a login that goes wrong with what they saw", async () => {
    const { host, alone } = await toolWorld();
    const env = { CI: "true" };
    expect(await authenticate(host, { ...alone, env, ...scriptedPerson() })).toBeTruthy();
    const portal = createServer((_request, response) => response.end("<p>Welcome to our network</p>"));
    await new Promise<void>((resolve) => portal.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      portal.closeAllConnections();
      portal.close();
    });
    const address = portal.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await expect(scriptedPerson().openBrowser(`http://127.0.0.1:${port}/`)).rejects.toThrow(
      "ended at an unexpected page: Welcome to our network",
    );
  });
});

describe("the store in memory", () => {
  it("holds the logins it is given, each for its server", async () => {
    const now = () => Date.UTC(2030, 0, 1);
    const [a, b, c] = ["a", "b", "c"].map((accessToken) => testToken({ accessToken, now }));
    if (!a || !b || !c) throw new Error("There are three.");
    const tokens = {
      "https://x.example.org": a,
      "https://x.example.org/app": b,
      "https://x.example.org#work": c,
    };
    const store = memoryStore({ tokens, now });
    const taken = await Promise.all([
      store.get("https://x.example.org"),
      store.get("https://x.example.org/app"),
      store.get("https://x.example.org", { account: "work" }),
    ]);
    expect(taken.map((token) => token?.accessToken)).toEqual(["a", "b", "c"]);
    expect(await authenticate("https://x.example.org", { store, now })).toEqual(a);
    const { storeKey } = Config.from({ issuer: "https://x.example.org", clientId: "tool" });
    expect((await memoryStore({ tokens: { [storeKey]: b }, now }).get(storeKey))?.accessToken).toBe("b");
    expect(await memoryStore().hosts()).toEqual([]);
  });

  it("finds a token that has ended only where it can be renewed", async () => {
    const host = "https://auth.example.org";
    const ended = (refreshToken?: string) =>
      memoryStore({ tokens: { [host]: testToken({ expiresIn: -10, refreshToken }) } }).get(host);
    expect(await ended()).toBeUndefined();
    expect(await ended("r")).toMatchObject({ refreshToken: "r", accessToken: "test-access-token" });
  });
});

describe("the server", () => {
  it("is closed with the block that it was made in", async () => {
    let address = "";
    {
      await using server = await startAuthServer();
      address = server.meUrl;
      expect((await fetch(address)).status).toBe(401);
    }
    await expect(fetch(address)).rejects.toThrow();
  });

  it("that cannot have its port leaves nothing open", async () => {
    await using first = await startAuthServer();
    const { port } = new URL(first.host);
    const listening = () => process.getActiveResourcesInfo().filter((one) => one === "TCPServerWrap").length;
    const before = listening();
    await expect(startAuthServer({ port: Number(port) })).rejects.toThrow(/EADDRINUSE|in use/);
    await expect.poll(listening).toBe(before);
  });
});
