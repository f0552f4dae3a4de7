import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type AuthServer,
  type AuthServerOptions,
  approveDevice,
  completeLogin,
  startAuthServer,
} from "../../src/testing/index.js";
import { startApi } from "../support/api.js";

/** The server that all other tests trust, over plain HTTP: what it promises, it does. */

type Json = Record<string, unknown>;

async function start(options: AuthServerOptions = {}): Promise<AuthServer> {
  const server = await startAuthServer({ enforceInterval: false, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function ask(url: string, init: RequestInit = {}) {
  const answer = await fetch(url, { redirect: "manual", ...init });
  const text = await answer.text();
  const isJson = text !== "" && answer.headers.get("content-type")?.includes("json");
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: (isJson ? JSON.parse(text) : {}) as Json,
  };
}

const post = (server: AuthServer, route: string, form: Record<string, string> = {}) =>
  ask(`${server.host}/auth/v2/${route}`, { method: "POST", body: new URLSearchParams(form) });
const get = (server: AuthServer, route: string) => ask(`${server.host}/auth/v2/${route}`);
const bearer = (token: unknown): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const poll = (server: AuthServer, device: Json) =>
  post(server, "token", { "device-code": String(device["device_code"]) });
const refresh = (server: AuthServer, token: unknown) =>
  post(server, "token", { "refresh-token": String(token) });

/** The provider's error inside the text of ours. */
function wrapped(answer: { body: Json }): Json {
  const [, json = ""] = /^Upstream OIDC error: (\{.*\})$/.exec(String(answer.body["detail"])) ?? [];
  return JSON.parse(json) as Json;
}

async function deviceLogin(server: AuthServer, name = "alice"): Promise<Json> {
  const { body } = await post(server, "device");
  await approveDevice(String(body["verification_uri_complete"]), { name });
  const answer = await poll(server, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

const CALLBACK = "http://localhost:53100/callback";
const loginRoute = (more = "&prompt=consent&offline_access=true", redirectUri = CALLBACK) =>
  `login?redirect_uri=${encodeURIComponent(redirectUri)}${more}`;

/** Asks the login route, and lets a person go through with it; `form` is what redeems the code. */
async function codeLogin(server: AuthServer, deny = false) {
  const location = new URL(String((await get(server, loginRoute())).headers.get("location")));
  const state = String(location.searchParams.get("state"));
  const callback = await completeLogin(location, { name: "bob", deny, visitCallback: false });
  const code = String(callback.searchParams.get("code"));
  const form = { code, redirect_uri: CALLBACK, code_verifier: state.split("|")[2] ?? "" };
  return { location, state, callback, form };
}

describe("the device flow", () => {
  it("is pending until a person approves it, then gives a token that opens /me", async () => {
    const server = await start();
    const { status, body } = await post(server, "device");
    expect(status).toBe(200);
    expect(body).toEqual({
      device_code: expect.any(String),
      user_code: expect.any(String),
      verification_uri: `${server.issuer}/device`,
      verification_uri_complete: `${server.issuer}/device?user_code=${body["user_code"]}`,
      expires_in: 600,
      interval: 5,
    });
    const early = await poll(server, body);
    expect(early.status).toBe(400);
    expect(wrapped(early)).toMatchObject({ error: "authorization_pending" });

    await approveDevice(String(body["verification_uri_complete"]), { name: "carol" });
    const before = Math.floor(Date.now() / 1000);
    const { body: token } = await poll(server, body);
    expect(token).toEqual({
      access_token: expect.any(String),
      token_type: "Bearer",
      expires: expect.toSatisfy((at: number) => at >= before + 299 && at <= before + 305),
      refresh_token: expect.any(String),
      refresh_expires: expect.toSatisfy((at: number) => at >= before + 179 && at <= before + 185),
      scope: expect.stringContaining("offline_access"),
    });
    const me = await ask(server.meUrl, bearer(token["access_token"]));
    expect(me.body).toEqual({ username: "carol", email: "carol@example.org" });
    const info = await ask(`${server.host}/auth/v2/userinfo`, bearer(token["access_token"]));
    expect(Object.keys(info.body).sort()).toEqual([
      "email",
      "first_name",
      "last_name",
      "pw_name",
      "username",
    ]);
  });

  it("lets the person type the code, and refuses one that is wrong", async () => {
    const server = await start();
    const { body } = await post(server, "device");
    const verificationUri = String(body["verification_uri"]);
    await expect(approveDevice({ verificationUri, userCode: "WRNG-CODE" })).rejects.toThrow("not valid");
    await approveDevice({ verificationUri, userCode: String(body["user_code"]) });
    expect((await poll(server, body)).status).toBe(200);
  });

  it("tells of a denial, once", async () => {
    const server = await start();
    const { body } = await post(server, "device");
    await approveDevice(String(body["verification_uri_complete"]), { deny: true });
    const denied = await poll(server, body);
    expect(denied.status).toBe(400);
    expect(wrapped(denied)).toMatchObject({ error: "access_denied" });
    expect(wrapped(await poll(server, body))).toMatchObject({ error: "invalid_grant" });
  });

  it("says slow_down when told to, and to whoever is quicker than the interval", async () => {
    const server = await start({ enforceInterval: true });
    const { body } = await post(server, "device");
    server.slowDown(1);
    expect(wrapped(await poll(server, body))).toMatchObject({ error: "slow_down" });
    expect(wrapped(await poll(server, body))).toMatchObject({ error: "authorization_pending" });
    expect(wrapped(await poll(server, body))).toMatchObject({ error: "slow_down" });
    const relaxed = await start({ enforceInterval: true, deviceInterval: 0 });
    const second = (await post(relaxed, "device")).body;
    await poll(relaxed, second);
    expect(wrapped(await poll(relaxed, second))).toMatchObject({ error: "authorization_pending" });
  });

  it("states the interval and the lifetime it was given", async () => {
    const server = await start({ deviceInterval: undefined, deviceCodeLifetime: 90 });
    const { body } = await post(server, "device");
    expect(body).toMatchObject({ expires_in: 90 });
    expect(body).not.toHaveProperty("interval");
  });

  it("ends with a code's lifetime", async () => {
    const server = await start({ deviceCodeLifetime: 1 });
    const { body } = await post(server, "device");
    // `expired_token`, and soon the provider has forgotten the code altogether.
    const error = async () => wrapped(await poll(server, body))["error"];
    await expect.poll(error, { interval: 100, timeout: 5000 }).toMatch(/expired_token|invalid_grant/);
  });

  it("is a 502 where the provider has none", async () => {
    const server = await start({ deviceFlow: false });
    const { status, body } = await post(server, "device");
    expect([status, body]).toEqual([
      502,
      { detail: "OIDC endpoint 'device_authorization_endpoint' not found in discovery." },
    ]);
  });
});

describe("the code flow", () => {
  it("hands the verifier over inside state, and redeems the code with it", async () => {
    const server = await start();
    const { location, state, callback, form } = await codeLogin(server);
    expect(location.origin).toBe(server.issuer);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      response_type: "code",
      redirect_uri: CALLBACK,
      code_challenge_method: "S256",
      prompt: "consent",
      nonce: expect.any(String),
    });
    expect(location.searchParams.get("scope")?.split(" ").sort()).toEqual(
      ["email", "offline_access", "openid", "profile"].sort(),
    );
    expect(state.split("|")).toEqual([expect.stringMatching(/.{16}/), CALLBACK, form.code_verifier]);
    expect(callback.searchParams.get("state")).toBe(state);
    expect(callback.searchParams.get("iss")).toBe(server.issuer);

    const { status, body } = await post(server, "token", { ...form, grant_type: "authorization_code" });
    expect(status).toBe(200);
    expect((await ask(server.meUrl, bearer(body["access_token"]))).body).toMatchObject({ username: "bob" });
    expect(wrapped(await post(server, "token", form))).toMatchObject({ error: "invalid_grant" });
  });

  it("answers the login route with a 307, and without redirect_uri with a 400", async () => {
    const server = await start();
    expect((await get(server, loginRoute())).status).toBe(307);
    const { status, body } = await get(server, "login");
    expect([status, body]).toEqual([400, { detail: expect.stringContaining("redirect_uri") }]);
  });

  it("refuses a wrong verifier", async () => {
    const server = await start();
    const { form } = await codeLogin(server);
    const answer = await post(server, "token", { ...form, code_verifier: "x".repeat(43) });
    expect(answer.status).toBe(400);
    expect(wrapped(answer)).toMatchObject({ error: "invalid_grant" });
  });

  it("brings a denial back to the program, state included", async () => {
    const server = await start();
    const { callback, state } = await codeLogin(server, true);
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({ error: "access_denied", state });
    expect(callback.searchParams.has("code")).toBe(false);
  });

  it("gives no refresh token unless offline access and consent were asked for", async () => {
    const server = await start();
    const location = String((await get(server, loginRoute("&prompt=consent"))).headers.get("location"));
    const callback = await completeLogin(location, { visitCallback: false });
    const verifier = callback.searchParams.get("state")?.split("|")[2] ?? "";
    const { status, body } = await post(server, "token", {
      code: String(callback.searchParams.get("code")),
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    });
    expect([status, body["refresh_token"]]).toEqual([200, ""]);
  });

  it("ends at the callback, which the person's browser opens, at a registered port only", async () => {
    const listener = await startApi(() => [200, {}, "done"]);
    const port = Number(new URL(listener.url).port);
    const server = await start({ redirectPorts: [port] });
    const own = loginRoute("", `http://localhost:${port}/callback`);
    const callback = await completeLogin(String((await get(server, own)).headers.get("location")));
    expect(listener.asked.map(({ path }) => path)).toEqual([`${callback.pathname}${callback.search}`]);

    const other = String((await get(server, loginRoute())).headers.get("location"));
    await expect(completeLogin(other, { visitCallback: false })).rejects.toThrow("did not work");
  });

  it("redeems the code itself for web apps, at its own callback route", async () => {
    const server = await start();
    const { callback } = await codeLogin(server);
    const { status, body } = await get(server, `callback${callback.search}`);
    expect([status, body]).toEqual([200, expect.objectContaining({ token_type: "Bearer" })]);
    expect((await get(server, "callback?code=x&state=y")).status).toBe(400);
  });
});

describe("refreshing", () => {
  it("rotates; the reuse of an old refresh token revokes the login", async () => {
    const server = await start();
    const first = await deviceLogin(server);
    const second = await refresh(server, first["refresh_token"]);
    expect(second.status).toBe(200);
    expect(second.body["refresh_token"]).not.toBe(first["refresh_token"]);
    expect(server.counts).toMatchObject({ refreshes: 1, "token:refresh": 1 });

    expect(wrapped(await refresh(server, first["refresh_token"]))).toMatchObject({ error: "invalid_grant" });
    expect(wrapped(await refresh(server, second.body["refresh_token"]))).toMatchObject({
      error: "invalid_grant",
    });
    expect((await ask(server.meUrl, bearer(second.body["access_token"]))).status).toBe(401);
    expect(server.counts).toMatchObject({ refreshes: 1, "token:refresh": 3 });
  });

  it("keeps the refresh token where rotation is off", async () => {
    const server = await start({ rotateRefreshTokens: false });
    const { refresh_token } = await deviceLogin(server);
    const answers = [await refresh(server, refresh_token), await refresh(server, refresh_token)];
    expect(answers.map(({ status, body }) => [status, body["refresh_token"]])).toEqual([
      [200, refresh_token],
      [200, refresh_token],
    ]);
  });

  it("answers a used refresh token as the first time, where it has a grace period", async () => {
    const server = await start({ refreshGracePeriod: 3600 });
    const { refresh_token } = await deviceLogin(server);
    const first = await refresh(server, refresh_token);
    const again = await refresh(server, refresh_token);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await refresh(server, first.body["refresh_token"])).body).not.toEqual(first.body);
  });

  it("is refused after all logins were revoked, and at another server", async () => {
    const [server, other] = await Promise.all([start(), start()]);
    const { refresh_token, access_token } = await deviceLogin(server);
    expect((await ask(other.meUrl, bearer(access_token))).status).toBe(401);
    expect(wrapped(await refresh(other, refresh_token))).toMatchObject({ error: "invalid_grant" });
    await server.revokeAll();
    expect(wrapped(await refresh(server, refresh_token))).toMatchObject({ error: "invalid_grant" });
  });
});

describe("broker mode", () => {
  it("gives one token of its own, which loses its login when it is refreshed twice", async () => {
    const server = await start({ mode: "broker" });
    const login = await deviceLogin(server, "dan");
    expect(login["access_token"]).toBe(login["refresh_token"]);
    expect((await ask(server.meUrl, bearer(login["access_token"]))).body).toMatchObject({ username: "dan" });

    const renewed = await refresh(server, login["refresh_token"]);
    expect(renewed.status).toBe(200);
    expect(renewed.body["access_token"]).not.toBe(login["access_token"]);
    const again = await refresh(server, login["refresh_token"]);
    expect([again.status, again.body]).toEqual([
      401,
      { detail: "Session expired or not found. Please re-authenticate." },
    ]);
  });

  it("lets a device login live 30 days and a code login an hour", async () => {
    const server = await start({ mode: "broker" });
    const now = Date.now() / 1000;
    const device = await deviceLogin(server);
    const code = await post(server, "token", (await codeLogin(server)).form);
    expect(Math.abs(Number(device["refresh_expires"]) - now - 30 * 86_400)).toBeLessThan(10);
    expect(Math.abs(Number(code.body["refresh_expires"]) - now - 3600)).toBeLessThan(10);
  });

  it("has ended the session even where the provider then fails", async () => {
    const server = await start({ mode: "broker" });
    const { refresh_token } = await deviceLogin(server);
    await server.stopProvider();
    expect((await refresh(server, refresh_token)).status).toBe(502);
    await server.startProvider();
    expect((await refresh(server, refresh_token)).status).toBe(401);
  });

  it("publishes its key, which passthrough mode has not", async () => {
    const { body } = await get(await start({ mode: "broker" }), ".well-known/jwks.json");
    expect(body["keys"]).toEqual([expect.objectContaining({ kty: "EC", kid: "broker" })]);
    expect(JSON.stringify(body)).not.toContain('"d":');
    expect((await get(await start(), ".well-known/jwks.json")).status).toBe(404);
  });
});

describe("a provider that is down", () => {
  it("is a 502 or, on login, a 500, never a refusal; once back it knows its logins", async () => {
    const server = await start();
    const { refresh_token, access_token } = await deviceLogin(server);
    await server.stopProvider();
    expect((await post(server, "device")).body["detail"]).toMatch(/not found in discovery/);
    const login = await get(server, loginRoute());
    expect([login.status, login.text]).toEqual([500, "Internal Server Error"]);
    expect(login.headers.get("content-type")).toContain("text/plain");
    for (const answer of [
      await refresh(server, refresh_token),
      await ask(server.meUrl, bearer(access_token)),
    ]) {
      expect(answer.status).toBe(502);
      expect(answer.body["detail"]).toMatch(/^Failed to contact OIDC endpoint: /);
    }
    await server.startProvider();
    expect((await ask(server.meUrl, bearer(access_token))).status).toBe(200);
    expect((await refresh(server, refresh_token)).status).toBe(200);
  });
});

describe("faults", () => {
  it("answer with a status, as often as told, for one grant only", async () => {
    const server = await start();
    const { refresh_token } = await deviceLogin(server);
    server.fail("token", { status: 503, body: "busy", headers: { "retry-after": "7" } }, 2, "refresh");
    expect((await post(server, "token", { "device-code": "x" })).status).toBe(400);
    for (const _ of [1, 2]) {
      const answer = await refresh(server, refresh_token);
      expect([answer.status, answer.text, answer.headers.get("retry-after")]).toEqual([503, "busy", "7"]);
    }
    expect((await refresh(server, refresh_token)).status).toBe(200);
  });

  it("drop the connection before the request is processed, or after", async () => {
    const server = await start();
    const { refresh_token } = await deviceLogin(server);
    server.fail("token", "reset");
    await expect(refresh(server, refresh_token)).rejects.toThrow(TypeError);
    expect(server.counts["refreshes"]).toBeUndefined();
    server.fail("token", "lost-answer");
    await expect(refresh(server, refresh_token)).rejects.toThrow(TypeError);
    expect(server.counts["refreshes"]).toBe(1);
    expect(wrapped(await refresh(server, refresh_token))).toMatchObject({ error: "invalid_grant" });
  });

  it("stall, until the server closes, or delay", async () => {
    const server = await startAuthServer();
    server.fail("login", { delay: 60 });
    const since = performance.now();
    expect((await get(server, loginRoute())).status).toBe(307);
    expect(performance.now() - since).toBeGreaterThan(55);

    server.fail("device", "stall");
    const stalled = post(server, "device").then(
      () => "answered",
      () => "ended",
    );
    await vi.waitFor(() => expect(server.counts["device"]).toBe(1));
    await server.close();
    expect(await stalled).toBe("ended");
    await expect(get(server, loginRoute())).rejects.toThrow(TypeError);
  });

  it.each(["login", "userinfo", "auth-ports", "me"] as const)("reach the route %s", async (route) => {
    const server = await start({ authPorts: [1] });
    server.fail(route, { status: 418, body: "<p>tea</p>", contentType: "text/html" });
    const answer = await (route === "me" ? ask(server.meUrl) : get(server, route));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([418, "text/html"]);
  });
});

describe("the routes", () => {
  it("lie below the base path, and nowhere else", async () => {
    const server = await start({ basePath: "/api/app" });
    expect(server.host).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/app$/);
    expect(server.meUrl).toBe(`${server.host}/me`);
    expect((await post(server, "device")).status).toBe(200);
    const outside = await ask(new URL("/auth/v2/device", server.host).href, { method: "POST" });
    expect([outside.status, outside.body]).toEqual([404, { detail: "Not Found" }]);
  });

  it("refuse what they cannot read", async () => {
    const server = await start();
    for (const form of [{}, { device_code: "x" }, { refresh_token: "x" }] as Record<string, string>[]) {
      const { status, body } = await post(server, "token", form);
      expect([status, body]).toEqual([400, { detail: "Missing (device) code or refresh_token" }]);
    }
    expect((await get(server, "device")).status).toBe(405);
    expect((await ask(`${server.host}/auth/v2/login`, { method: "HEAD" })).status).toBe(405);
    expect((await get(server, "nothing")).body).toEqual({ detail: "Not Found" });
  });

  it("tell a missing token from a bad one, and end a good one in time", async () => {
    const server = await start({ accessTokenLifetime: 1 });
    expect((await get(server, "userinfo")).status).toBe(403);
    expect((await ask(server.meUrl)).status).toBe(401);
    const { access_token } = await deviceLogin(server);
    const me = () => ask(server.meUrl, bearer(access_token));
    await expect.poll(async () => (await me()).status, { interval: 100, timeout: 5000 }).toBe(401);
    expect((await me()).headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  });

  it("list the ports only where there are any", async () => {
    const { body } = await get(await start({ authPorts: [53_101, 53_102] }), "auth-ports");
    expect(body).toEqual({ valid_ports: [53_101, 53_102] });
    expect((await get(await start(), "auth-ports")).status).toBe(404);
  });

  it("send the person to the provider to log out", async () => {
    const server = await start();
    const { status, headers } = await get(server, "logout?post_logout_redirect_uri=http://localhost/");
    expect(status).toBe(307);
    expect(headers.get("location")).toBe(
      `${server.issuer}/session/end?post_logout_redirect_uri=${encodeURIComponent("http://localhost/")}`,
    );
  });

  it("write errors in OAuth's own shape when told to", async () => {
    const server = await start();
    server.errorShape = "plain";
    const { status, body } = await refresh(server, "unknown");
    expect([status, body["error"]]).toEqual([400, "invalid_grant"]);
    expect(body).not.toHaveProperty("detail");
  });

  it("are counted and logged by name, without a secret", async () => {
    const server = await start();
    const { access_token, refresh_token } = await deviceLogin(server);
    await ask(server.meUrl, bearer(access_token));
    expect(server.counts).toEqual({ device: 1, token: 1, "token:device": 1, me: 1 });
    expect(server.requests).toContainEqual({
      method: "POST",
      path: "/auth/v2/token",
      names: ["device-code"],
    });
    expect(JSON.stringify(server.requests)).not.toContain(access_token);
    server.resetCounts();
    expect([server.counts, server.requests]).toEqual([{}, []]);
    await refresh(server, refresh_token);
    expect(server.counts).toEqual({ token: 1, "token:refresh": 1, refreshes: 1 });
  });
});

it("servers that start together print nothing, and leave the console as it was", async () => {
  // In a process of its own: only the first load of the provider's package says anything.
  const program = `
    import { startAuthServer } from ${JSON.stringify(new URL("../../src/testing/index.ts", import.meta.url))};
    const servers = await Promise.all([startAuthServer(), startAuthServer()]);
    console.warn("still heard");
    await Promise.all(servers.map((server) => server.close()));`;
  const node = ["--import", "tsx", "--input-type=module", "--eval", program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, node);
  expect([stdout, stderr]).toEqual(["", "still heard\n"]);
});
