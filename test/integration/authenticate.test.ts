import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { TokenStore } from "../../src/store/token-store.js";
import {
  type AuthServer,
  type AuthServerOptions,
  approveDevice,
  fakeClock,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

interface World {
  readonly server: AuthServer;
  readonly path: string;
  readonly store: TokenStore;
  readonly events: AuthEvent[];
  readonly pauses: readonly number[];
  readonly options: AuthenticateOptions;
  /** Lets this many seconds pass. */
  later(seconds: number): void;
  login(more?: AuthenticateOptions): Promise<Token>;
}

/** A person at a screen who approves whatever they are shown, with a clock that the test moves. */
async function world(serverOptions: AuthServerOptions = {}): Promise<World> {
  const clock = fakeClock();
  const server = await startAuthServer({ now: clock.now, ...serverOptions });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  const events: AuthEvent[] = [];
  const store = new TokenStore({ path, now: clock.now });
  const options: AuthenticateOptions = {
    store,
    ...clock,
    ui: scriptedPerson().ui,
    env: {},
    openBrowser: false,
    onEvent: (event) => events.push(event),
  };
  return {
    ...{ server, path, store, events, pauses: clock.pauses, options },
    later: clock.advanceSeconds,
    login: (more) => authenticate(server.host, { ...options, ...more }),
  };
}

async function me(server: AuthServer, token: Token): Promise<number> {
  return (await fetch(server.meUrl, { headers: token.headers })).status;
}

describe.each(["passthrough", "broker"] as const)("in %s mode", (mode) => {
  it("a person logs in once, the token works, and is reused and renewed without them", async () => {
    const { server, login, later, options, events } = await world({ mode });
    const first = await login();
    expect(await me(server, first)).toBe(200);
    const requests = server.requests.length;
    expect(await login({ interactive: false })).toEqual(first);
    expect(server.requests).toHaveLength(requests);
    later(3600 - 3);
    const renewed = await authenticate(server.host, { ...options, interactive: false });
    expect(renewed.accessToken).not.toBe(first.accessToken);
    expect(await me(server, renewed)).toBe(200);
    expect(server.counts["refreshes"]).toBe(1);
    expect(events.map((event) => event.type)).toEqual([
      "login_started",
      "logged_in",
      "reused",
      "refresh_started",
      // The test's clock is an hour ahead of the server's.
      "warning",
      "refreshed",
    ]);
  });

  it("twenty calls at once send one refresh", async () => {
    const { server, login, later } = await world({ mode, tokenLatency: 20 });
    await login();
    later(3600 - 3);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => login({ interactive: false })));
    expect(new Set(tokens.map((token) => token.accessToken)).size).toBe(1);
    expect(server.counts["refreshes"]).toBe(1);
    expect(server.counts["token:refresh"]).toBe(1);
  });
});

describe("which login is used", () => {
  it("auto: the browser where the server has no device flow", async () => {
    const { server, login, events } = await world({ deviceFlow: false });
    expect(await me(server, await login())).toBe(200);
    expect(server.counts["device"]).toBe(1);
    expect(events).toContainEqual(expect.objectContaining({ type: "logged_in", flow: "code" }));
  });

  it("code: the browser at once", async () => {
    const { server, login } = await world();
    expect(await me(server, await login({ flow: "code" }))).toBe(200);
    expect(server.counts["device"] ?? 0).toBe(0);
  });

  it("device: only that", async () => {
    const { login } = await world({ deviceFlow: false });
    await expect(login({ flow: "device" })).rejects.toMatchObject({ code: "device_flow_unsupported" });
  });

  it("with the provider down: an error that says so", async () => {
    const { server, login } = await world();
    await server.stopProvider();
    await expect(login()).rejects.toMatchObject({
      code: "request_failed",
      status: 500,
      hint: expect.stringContaining("provider is probably down"),
    });
  });

  it("force: a new login in spite of a good token", async () => {
    const { login } = await world();
    const first = await login();
    const second = await login({ force: true });
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(await login()).toEqual(second);
  });
});

describe("where no person can be reached", () => {
  it("the hint gives the commands and variables that help", async () => {
    const { server, login, path } = await world();
    const error = await login({ interactive: false }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "interaction_required" });
    const { message, hint } = error as { message: string; hint: string };
    expect(message).toContain("no login is stored");
    for (const help of [
      path,
      `oidc-auth ${server.host}`,
      "OIDC_TOKEN_FILE",
      'flow: "device"',
      "INTERACTIVE_SESSION=1",
    ]) {
      expect(hint).toContain(help);
    }
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["a batch variable", { SLURM_JOB_ID: "1" }],
    ["INTERACTIVE_SESSION=0", { INTERACTIVE_SESSION: "0" }],
    ["CI", { CI: "true" }],
  ])("%s is enough", async (_name, env) => {
    const { login } = await world();
    await expect(login({ env })).rejects.toMatchObject({ code: "interaction_required" });
  });
});

describe("a refresh that is refused", () => {
  it.each(["passthrough", "broker"] as const)("in %s mode leads to a login", async (mode) => {
    const { server, login, later, events } = await world({ mode });
    const first = await login();
    await server.revokeAll();
    later(3600 - 3);
    const second = await login();
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(events).toContainEqual(expect.objectContaining({ type: "refresh_refused" }));
  });

  it("without a person says why, once, and does not try again", async () => {
    const { server, login, later } = await world();
    await login();
    await server.revokeAll();
    later(3600 - 3);
    await expect(login({ interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
      message: expect.stringContaining("refused to renew the stored login (invalid_grant)"),
      cause: expect.objectContaining({ code: "invalid_grant" }),
    });
    await expect(login({ interactive: false })).rejects.toMatchObject({ code: "interaction_required" });
    expect(server.counts["token:refresh"]).toBe(1);
  });

  it("does not harm a newer login that somebody stored meanwhile", async () => {
    const { server, login, later, store } = await world();
    await login();
    await server.revokeAll();
    later(3600 - 3);
    const theirs = new Token({ accessToken: "theirs", expiresAt: Date.now() / 1000 + 99_999 });
    const fetch: typeof globalThis.fetch = async (...request) => {
      const answer = await globalThis.fetch(...request);
      await store.put(server.host, theirs);
      return answer;
    };
    expect(await login({ interactive: false, fetch })).toMatchObject({ accessToken: "theirs" });
    expect(await store.get(server.host)).toMatchObject({ accessToken: "theirs" });
  });
});

describe("a refresh that fails", () => {
  async function expired(
    options: AuthServerOptions = {},
  ): Promise<World & { stored: string; retries(): number[] }> {
    const made = await world(options);
    await made.login();
    made.later(3600 - 3);
    const before = made.pauses.length;
    return {
      ...made,
      stored: readFileSync(made.path, "utf8"),
      /** Milliseconds of the pauses since then. */
      retries: () => made.pauses.slice(before),
    };
  }

  it.each([
    ["500", { status: 500, body: "oops" }, "request_failed", true],
    ["502 with a page", { status: 502, body: "<html>", contentType: "text/html" }, "request_failed", true],
    ["503 without Retry-After", { status: 503, body: "" }, "request_failed", true],
    ["403", { status: 403, body: "no" }, "request_failed", false],
    ["200 with a page", { status: 200, body: "<html>", contentType: "text/html" }, "invalid_response", true],
    ["200 with nothing", { status: 200, body: "{}" }, "invalid_response", true],
    [
      "a redirect elsewhere",
      { status: 307, body: "", headers: { location: "http://127.0.0.1:9/" } },
      "request_failed",
      false,
    ],
    ["a dropped connection", "reset", "network_error", true],
    ["an answer that was lost", "lost-answer", "network_error", true],
  ] as const)(
    "with %s is an error that keeps the stored login, and is not sent again",
    async (_name, fault, code, answerLost) => {
      const { server, login, path, stored } = await expired();
      server.fail("token", fault, 1, "refresh");
      await expect(login()).rejects.toMatchObject({
        code,
        answerLost,
        hint: expect.stringContaining("The stored login was kept"),
      });
      expect(server.counts["token:refresh"]).toBe(1);
      const mark = /,\n {4}"refresh_lost_at": [\d.]+/;
      const after = readFileSync(path, "utf8");
      expect(mark.test(after)).toBe(answerLost);
      expect(after.replace(mark, "")).toBe(stored);
      if (fault !== "lost-answer") expect(await me(server, await login({ interactive: false }))).toBe(200);
    },
  );

  it.each([
    ["429", { status: 429, body: "" }, 500],
    ["503 with Retry-After", { status: 503, body: "", headers: { "retry-after": "2" } }, 2000],
  ] as const)("with %s is sent again", async (_name, fault, least) => {
    const { server, login, retries } = await expired();
    server.fail("token", fault, 2, "refresh");
    expect(await me(server, await login({ interactive: false }))).toBe(200);
    expect(retries()).toHaveLength(2);
    expect(Math.min(...retries())).toBeGreaterThanOrEqual(least);
  });

  it("with a Retry-After of an hour is told at once", async () => {
    const { server, login, retries } = await expired();
    server.fail("token", { status: 503, body: "", headers: { "retry-after": "3600" } }, 1, "refresh");
    await expect(login()).rejects.toMatchObject({ code: "request_failed", status: 503, retryAfter: 3600 });
    expect(retries()).toEqual([]);
  });

  it("with nobody listening is tried three times, then told", async () => {
    const { server, login, path, stored, retries } = await expired();
    await server.close();
    await expect(login()).rejects.toMatchObject({ code: "network_error", unprocessed: true });
    expect(retries()).toHaveLength(2);
    expect(readFileSync(path, "utf8")).toBe(stored);
  });
});

describe("callers in one process", () => {
  it("share one login, and one who leaves does not end it for the other", async () => {
    const { server, options } = await world();
    const { ui } = scriptedPerson({ acts: false });
    const abort = new AbortController();
    const leaver = authenticate(server.host, { ...options, ui, signal: abort.signal });
    const stayer = authenticate(server.host, { ...options, ui });
    const { code } = await ui.seen("device");
    abort.abort();
    await expect(leaver).rejects.toMatchObject({ code: "login_cancelled" });
    await approveDevice(code.uri);
    expect(await me(server, await stayer)).toBe(200);
    expect(server.counts["device"]).toBe(1);
  });

  it("with settings of their own do not get another one's login", async () => {
    const { server, options } = await world();
    const [one, two] = [scriptedPerson({ acts: false }).ui, scriptedPerson({ acts: false }).ui];
    const first = authenticate(server.host, { ...options, ui: one });
    const second = authenticate(server.host, { ...options, ui: two });
    const codes = await Promise.all([one.seen("device"), two.seen("device")]);
    expect(codes[0].code.userCode).not.toBe(codes[1].code.userCode);
    await Promise.all(codes.map(({ code }) => approveDevice(code.uri)));
    for (const token of await Promise.all([first, second])) expect(await me(server, token)).toBe(200);
  });

  it("that all leave end the login, and the next call begins a new one", async () => {
    const { server, options, login } = await world();
    const { ui } = scriptedPerson({ acts: false });
    const abort = new AbortController();
    const leaver = authenticate(server.host, { ...options, ui, flow: "code", signal: abort.signal });
    await ui.seen("code");
    abort.abort();
    await expect(leaver).rejects.toMatchObject({ code: "login_cancelled" });
    expect(ui.steps.at(-1)?.type).toBe("failed");
    expect(await me(server, await login({ flow: "code" }))).toBe(200);
  });

  it("whose time runs out by their own signal are told that it did", async () => {
    const { login } = await world();
    // Nobody acts: nothing but the signal ends it.
    const { ui } = scriptedPerson({ acts: false });
    const ended = login({ ui, flow: "code", signal: AbortSignal.timeout(1) });
    await expect(ended).rejects.toMatchObject({ code: "login_timeout" });
  });

  it("with a signal that is already aborted get nothing begun", async () => {
    const { server, login } = await world();
    await expect(login({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "login_cancelled" });
    expect(server.requests).toEqual([]);
  });
});

describe("the Python client's login", () => {
  it("is reused and renewed here, and stays readable there", async () => {
    const { server, login, later, path, store } = await world();
    const token = await login();
    const seconds = Math.floor(Date.now() / 1000);
    const python = {
      [new URL(server.host).origin]: {
        token: {
          access_token: token.accessToken,
          token_type: "Bearer",
          expires: token.expiresAt,
          refresh_token: token.refreshToken,
          refresh_expires: seconds + 180,
          scope: token.scope,
          headers: { Authorization: `Bearer ${token.accessToken}` },
        },
        stored_at: seconds + 0.5,
      },
      "https://other.example.org": { token: { access_token: "x", expires: 4e9 }, stored_at: 1.5 },
    };
    writeFileSync(path, JSON.stringify(python));
    expect((await login({ interactive: false })).accessToken).toBe(token.accessToken);
    // Three minutes later Python's file calls the refresh token ended, which says nothing.
    later(3600);
    const renewed = await login({ interactive: false });
    expect(await me(server, renewed)).toBe(200);
    const file = JSON.parse(readFileSync(path, "utf8"));
    expect(file["https://other.example.org"]).toEqual(python["https://other.example.org"]);
    const entry = file[new URL(server.host).origin];
    expect(entry.token).toEqual({
      access_token: renewed.accessToken,
      token_type: "Bearer",
      expires: renewed.expiresAt,
      refresh_token: renewed.refreshToken,
      refresh_expires: expect.any(Number),
      scope: renewed.scope,
      headers: { Authorization: `Bearer ${renewed.accessToken}` },
    });
    expect(entry.token.refresh_expires).toBeGreaterThan(entry.token.expires);
    expect(await store.hosts()).toContain(server.host);
  });
});

describe("OIDC_TOKEN_FILE", () => {
  it("serves where no store is given, whatever the application is called", async () => {
    const { server, login } = await world();
    const token = await login();
    const file = join(tempFolder(), "token.json");
    const bare = { access_token: token.accessToken, token_type: "Bearer", expires: token.expiresAt };
    writeFileSync(file, JSON.stringify(bare), { mode: 0o600 });
    const env = { OIDC_TOKEN_FILE: file, SLURM_JOB_ID: "1" };
    expect((await authenticate(server.host, { appName: "mine", env })).accessToken).toBe(token.accessToken);
  });
});

it("the hint's command asks the same server in the same way", async () => {
  const { server, login } = await world();
  const routes = { tokenRoute: "/my/token", redirectPorts: [8750, 8751], interactive: false };
  const { hint } = await login(routes).then(
    () => ({ hint: "" }),
    (error: { hint: string }) => error,
  );
  expect(hint).toContain(`oidc-auth ${server.host} --token-route /my/token --ports 8750,8751`);
});

describe("wrong arguments", () => {
  it.each<[string, unknown, object, string]>([
    ["a host", "ftp://x.org", {}, "invalid_config"],
    ["a host in the clear", "http://auth.example.org", {}, "insecure_host"],
    ["a flow", "https://x.org", { flow: "magic" }, "invalid_config"],
    ["a timeout", "https://x.org", { timeout: 0 }, "invalid_config"],
    ["a store", "https://x.org", { store: {} }, "invalid_config"],
    [
      "store and appName",
      "https://x.org",
      { store: new TokenStore({ path: "/x" }), appName: "y" },
      "invalid_config",
    ],
    ["ports", "https://x.org", { redirectPorts: [0] }, "invalid_config"],
    ["no host at all", undefined, {}, "invalid_config"],
  ])("%s: %s", async (_name, host, options, code) => {
    await expect(authenticate(host as string, options)).rejects.toMatchObject({ code });
  });
});

it("a store that cannot be written is told before a person is asked", async () => {
  const { server, options } = await world();
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), "");
  const store = new TokenStore({ path: join(folder, "file", "store.json") });
  await expect(authenticate(server.host, { ...options, store })).rejects.toMatchObject({
    code: expect.stringMatching(/^store_/),
  });
  expect(server.counts["device"] ?? 0).toBe(0);
});
