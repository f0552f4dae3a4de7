import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { run } from "../../src/cli/run.js";
import { isObserved, printDebugLines, publish } from "../../src/debug/channel.js";
import type { DebugFact } from "../../src/debug/message.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { fileBackend } from "../../src/store/file-backend.js";
import { thisProcess } from "../../src/store/lock-owner.js";
import { TokenStore } from "../../src/store/token-store.js";
import {
  type AuthServerOptions,
  completeLogin,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { debugMessages } from "../support/debug-messages.js";
import { logIn } from "../support/login.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const HOST = "https://auth.example.org";
const good = () => new Token({ accessToken: "the-token", expiresAt: 9e9, refreshToken: "the-refresh-token" });

async function world(options: AuthServerOptions = {}) {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false, ...options });
  onTestFinished(server.close);
  const store = new TokenStore({ path: join(tempFolder(), "store.json") });
  return { server, store, options: { store, interactive: false, env: {} } };
}

/** A login whose access token has ended. */
async function ended(host: string, store: TokenStore): Promise<void> {
  const token = await logIn(host, store);
  await store.put(host, new Token({ ...token, expiresAt: 1 }));
}

describe("what is published", () => {
  it("of a login in the browser: each request, each step, and of values those that are open", async () => {
    const { server, store } = await world();
    const messages = debugMessages();
    const person = scriptedPerson({ acts: false });
    const openBrowser = async (url: string) => {
      const { redirectUri } = await person.ui.seen("code");
      await fetch(`${redirectUri}?code=x&state=another`);
      await completeLogin(url);
    };
    await authenticate(server.host, { store, ...person, openBrowser, flow: "code", env: {} });
    const callback = expect.stringMatching(/^http:\/\/localhost:5310\d\/callback$/);
    expect(messages.filter(({ type }) => type === "request")).toEqual([
      expect.objectContaining({ what: "ports route", method: "GET", status: 404 }),
      expect.objectContaining({
        what: "login route",
        status: 307,
        url: expect.stringMatching(
          /\/auth\/v2\/login\?redirect_uri=http:\/\/localhost:5310\d\/callback&prompt=consent&offline_access=true$/,
        ),
      }),
      {
        type: "request",
        time: expect.any(Number),
        what: "token route",
        method: "POST",
        url: `${server.host}/auth/v2/token`,
        form: { grant_type: "authorization_code", code: "…", redirect_uri: callback, code_verifier: "…" },
        status: 200,
        contentType: "application/json",
        durationMs: expect.any(Number),
      },
    ]);
    expect(messages.filter(({ type }) => type === "login")).toEqual([
      expect.objectContaining({ step: "listening", redirectUri: callback }),
      expect.objectContaining({
        step: "browser",
        url: expect.stringMatching(/&state=…&nonce=…&code_challenge=…&/),
      }),
      expect.objectContaining({ step: "callback", ours: false, parameters: { code: "…", state: "…" } }),
      expect.objectContaining({
        step: "callback",
        ours: true,
        parameters: { code: "…", state: "…", iss: server.issuer },
      }),
    ]);
    const told = messages.flatMap((message) => (message.type === "event" ? [message.event.type] : []));
    expect(told).toEqual(["login_started", "callback_ignored", "logged_in"]);
    expect(messages).toContainEqual(
      expect.objectContaining({ type: "explain", text: "The code flow was asked for." }),
    );
    expect(messages).toContainEqual(
      expect.objectContaining({ type: "store", action: "written", key: `${server.host}/`, done: true }),
    );
  });

  it("of a device code: until when it holds, and not the code", async () => {
    const { server, store } = await world();
    const messages = debugMessages();
    await logIn(server.host, store);
    expect(messages).toContainEqual(
      expect.objectContaining({ step: "device_code", expiresIn: 600, interval: 0.05 }),
    );
    const polls = messages.filter((one) => one.type === "request" && one.what === "token route");
    expect(polls.at(-1)).toMatchObject({ status: 200, form: { "device-code": "…" } });
  });

  it("of a refresh: the lock, the server's error code, and how it ended", async () => {
    const { server, store, options } = await world();
    await ended(server.host, store);
    await server.revokeAll();
    const messages = debugMessages();
    await authenticate(server.host, options).catch(() => {});
    expect(
      messages.map((one) => ("action" in one ? one.action : one.type === "request" ? one.error : one.type)),
    ).toEqual([
      ...["read", "explain", "read", "lock_taken", "explain", "event", "invalid_grant", "event", "removed"],
      ...["lock_released", "explain", "explain", "failed"],
    ]);
    expect(messages.at(-1)).toMatchObject({ type: "failed", code: "interaction_required" });
  });

  it("of a server that does not answer: why", async () => {
    const { server, store, options } = await world();
    await ended(server.host, store);
    server.fail("token", "reset");
    const messages = debugMessages();
    await authenticate(server.host, options).catch(() => {});
    const [request] = messages.filter(({ type }) => type === "request");
    expect(request).toMatchObject({ error: "network_error", reason: expect.stringContaining("was dropped") });
    expect(request).not.toHaveProperty("status");
  });

  it("of an API: what was asked without its parameters, and that the token went along", async () => {
    const { server, store, options } = await world();
    await logIn(server.host, store);
    const messages = debugMessages();
    await createAuthFetch(server.host, options)(`${server.meUrl}?key=a-secret#part`);
    expect(messages.filter(({ type }) => type === "request")).toEqual([
      expect.objectContaining({
        what: "API",
        url: `${server.meUrl}?key=…`,
        authorization: "Bearer",
        status: 200,
      }),
    ]);
  });

  it("of a lock: who has it, and that it was taken over from who died", async () => {
    const path = join(tempFolder(), "store.json");
    const backend = fileBackend(path, { onWarning: () => {} });
    const [one, two] = [new TokenStore({ backend }), new TokenStore({ path })];
    await one.put(HOST, good());
    const messages = debugMessages();
    let waiting: Promise<unknown> | undefined;
    await one.update(HOST, async (current) => {
      const seen = new Promise<void>((resolve) => {
        const look = () =>
          messages.some((told) => "action" in told && told.action === "lock_waiting") && resolve();
        subscribe("oidc-auth-client", look);
        onTestFinished(() => void unsubscribe("oidc-auth-client", look));
      });
      waiting = two.update(HOST, async (theirs) => theirs);
      await seen;
      return current;
    });
    await waiting;
    expect(messages).toContainEqual(
      expect.objectContaining({
        action: "lock_waiting",
        holder: `process ${process.pid} on ${hostname()}`,
        store: expect.stringMatching(/^the lock .*store\.json\.[0-9a-f]{16}\.lock$/),
      }),
    );
    const dead = { id: "ab", ...thisProcess(), pid: 2 ** 22 + 1 };
    writeFileSync(`${path}.lock`, JSON.stringify(dead));
    await one.put(HOST, good());
    expect(messages).toContainEqual(
      expect.objectContaining({ action: "lock_taken_over", holder: `process ${dead.pid} on ${hostname()}` }),
    );
  });

  it("is told within whoever's call it is, so that a span has its parent", async () => {
    const { server, store, options } = await world();
    await logIn(server.host, store);
    const calls = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const keep = () => void seen.push(calls.getStore());
    subscribe("oidc-auth-client", keep);
    onTestFinished(() => void unsubscribe("oidc-auth-client", keep));
    const fetch = createAuthFetch(server.host, options);
    await calls.run("mine", async () => fetch(server.meUrl));
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(new Set(seen)).toEqual(new Set(["mine"]));
  });
});

describe("where nobody wants to know", () => {
  it("nothing is made", () => {
    expect(isObserved()).toBe(false);
    publish((): DebugFact => expect.fail("it was made all the same"));
  });
});

const DIST = join(import.meta.dirname, "../../dist");

/** A program that uses the library, and what it prints. */
async function program(code: string, env: Record<string, string>) {
  const folder = tempFolder();
  const path = join(folder, "program.mjs");
  writeFileSync(
    path,
    `import { authenticate, Token, TokenStore } from "${join(DIST, "index.js")}";\n${code}`,
  );
  const child = runNode(path, [], { XDG_CACHE_HOME: folder, ...env });
  const { code: status } = await child.ended();
  return { status, lines: child.lines, errors: child.errors };
}

const REUSE = `
const store = new TokenStore();
await store.put("${HOST}", new Token({ accessToken: "the-token", expiresAt: 9e9 }));
console.log((await authenticate("${HOST}")).accessToken);`;

describe("OIDC_AUTH_DEBUG=1", () => {
  it("prints each as one line on standard error, from the first on", async () => {
    const { status, lines, errors } = await program(REUSE, { OIDC_AUTH_DEBUG: "1" });
    expect([status, lines]).toEqual([0, ["the-token"]]);
    expect(
      errors.map((line) => line.replace(/\+\d+ ms/, "+N ms").replace(/the file \S*json/, "FILE")),
    ).toEqual([
      `oidc-auth [+N ms] store read (${HOST}/, FILE)`,
      expect.stringMatching(/^oidc-auth \[\+N ms\] The token in FILE is used: it ends in \d+ s\.$/),
      `oidc-auth [+N ms] event reused, server=${HOST}`,
    ]);
  });

  it.each(["", "0"])("is off as %j", async (value) => {
    expect(await program(REUSE, { OIDC_AUTH_DEBUG: value })).toEqual({
      status: 0,
      lines: ["the-token"],
      errors: [],
    });
  });

  it("into what was closed disturbs nothing", async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("closed"), { code: "EPIPE" })),
    });
    const failed = new Promise((resolve) => closed.prependOnceListener("error", resolve));
    const stop = await printDebugLines(closed);
    publish(() => ({ type: "explain", text: "x" }));
    expect(await failed).toMatchObject({ code: "EPIPE" });
    publish(() => ({ type: "explain", text: "y" }));
    stop();
    expect(isObserved()).toBe(false);
    expect(closed.listenerCount("error")).toBe(0);
  });

  it("keeps a line one line, whatever a server says", async () => {
    const { server, store } = await world();
    await ended(server.host, store);
    server.fail("token", { status: 400, body: "no\nway\u001b[0m", contentType: "text/x;\u0085a\u009bb" });
    const { status, stderr } = await runToken(server.host, store, { OIDC_AUTH_DEBUG: "1" });
    expect(status).toBe(1);
    expect(stderr).not.toMatch(/[\u001b\u0085\u009b]/);
    expect(stderr).toMatch(
      /^oidc-auth \[\+\d+ ms\] POST \S+ \(refresh-token=…, 400, text\/x; a b, \d+ ms\)$/m,
    );
  });

  it("shows where an error comes from, with what caused it", async () => {
    const { server, store } = await world();
    await ended(server.host, store);
    server.fail("token", "reset", 2);
    const { stderr } = await runToken(server.host, store, { OIDC_AUTH_DEBUG: "1" });
    expect(stderr).toMatch(/^AuthError: The stored login could not be renewed\..*\n {4}at /m);
    expect(stderr).toMatch(/^Caused by: TypeError: fetch failed$/m);
    expect(stderr).toMatch(/^Caused by: SocketError: other side closed/m);
    const without = await runToken(server.host, store, {});
    expect(without.stderr).toContain("What to do:");
    expect(without.stderr).not.toMatch(/ {4}at |oidc-auth \[/);
  });
});

/** `oidc-auth token` in this process, and what a person reads of it. */
async function runToken(host: string, { path = "" }: TokenStore, env: Record<string, string>) {
  let stderr = "";
  const status = await run(["token", host, "--store", path], {
    stdout: { write: () => expect.fail("there is no result") },
    stderr: {
      write: (text: string) => {
        stderr += text;
      },
    },
    env,
    signal: new AbortController().signal,
  });
  return { status, stderr };
}
