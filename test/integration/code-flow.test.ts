import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { CodeFlow } from "../../src/flows/code-flow.js";
import type { LoginUi } from "../../src/login-ui.js";
import type { LoginOptions } from "../../src/options.js";
import {
  type AuthServer,
  type AuthServerOptions,
  completeLogin,
  memoryStore,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import type { Token } from "../../src/token.js";
import { heldExchange } from "../support/held-exchange.js";

async function start(options: AuthServerOptions = {}): Promise<AuthServer> {
  const server = await startAuthServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** A login under way: the URL that the browser should open, and where it should come back to. */
async function begin(server: AuthServer, options: LoginOptions = {}, more: Partial<LoginUi> = {}) {
  const ui = Object.assign(scriptedPerson({ acts: false }).ui, more);
  const store = memoryStore();
  const flow = new CodeFlow(server.host, { store, ui, env: {}, openBrowser: false, ...options });
  const token = flow.authenticate();
  token.catch(() => {});
  const step = await Promise.race([
    ui.seen("code"),
    token.then(() => Promise.reject(new Error("no login was shown"))),
  ]);
  return { token, step, ui, redirectUri: step.redirectUri };
}

/** What the browser is answered: status and page. */
async function visit(url: string | URL, init: RequestInit = {}): Promise<{ status: number; page: string }> {
  const answer = await fetch(url, init);
  return { status: answer.status, page: await answer.text() };
}

async function me(server: AuthServer, token: Token): Promise<number> {
  return (await fetch(server.meUrl, { headers: token.headers })).status;
}

it("logs in by the browser, and shows it a page of success", async () => {
  const server = await start();
  const { token, step } = await begin(server);
  const callback = await completeLogin(step.url, { visitCallback: false });
  expect(callback.origin + callback.pathname).toBe(step.redirectUri);
  const { status, page } = await visit(callback);
  expect(status).toBe(200);
  expect(page).toContain(new URL(server.host).host);
  expect(await me(server, await token)).toBe(200);
});

it("asks the login route itself, with the reference's parameters", async () => {
  const server = await start();
  const asked: string[] = [];
  const spy: typeof fetch = async (input, init) => {
    asked.push(String(input));
    return fetch(input, init);
  };
  const { token, step } = await begin(server, { fetch: spy, scopes: ["openid", "email"] });
  const login = new URL(asked.find((url) => url.includes("/auth/v2/login")) ?? "");
  expect(Object.fromEntries(login.searchParams)).toEqual({
    redirect_uri: step.redirectUri,
    prompt: "consent",
    offline_access: "true",
    scope: "openid email",
  });
  expect(step.url).toContain("code_challenge_method=S256");
  await completeLogin(step.url);
  await token;
});

describe("what does not belong to the login neither completes nor breaks it", () => {
  it("wrong states, errors, other paths and methods, a megabyte", async () => {
    const server = await start();
    const { token, step, redirectUri } = await begin(server);
    const real = await completeLogin(step.url, { visitCallback: false });
    const forged = new URL(real);
    forged.searchParams.set("state", `${forged.searchParams.get("state")}x`);
    const twice = new URL(real);
    twice.searchParams.append("state", real.searchParams.get("state") ?? "");
    const stateless = `${redirectUri}?code=${real.searchParams.get("code")}`;
    for (const url of [
      forged,
      twice,
      stateless,
      `${redirectUri}?error=access_denied`,
      `${redirectUri}?error=x&state=y`,
      redirectUri,
    ]) {
      expect((await visit(url)).status).toBe(400);
    }
    const origin = new URL(redirectUri).origin;
    expect((await visit(`${origin}/favicon.ico`)).status).toBe(404);
    expect((await visit(`${origin}/callback/../x`)).status).toBe(404);
    expect((await visit(real, { method: "HEAD" })).status).toBe(405);
    expect((await visit(real, { method: "POST" })).status).toBe(405);
    const tooLong = await visit(`${redirectUri}?x=${"y".repeat(1_000_000)}`).catch(() => ({ status: 431 }));
    expect(tooLong.status).toBe(431);
    const foreign = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "attacker.example" };
      request(real, { headers }, (answer) => resolve(answer.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect([400, 403, 421]).toContain(foreign);
    expect(server.counts["token:code"] ?? 0).toBe(0);
    expect((await visit(real)).status).toBe(200);
    expect(await me(server, await token)).toBe(200);
  });

  it("a prefetch that comes first is the login; the page after it sees the same", async () => {
    const server = await start();
    const { fetch: held, release } = heldExchange();
    const { token, step, redirectUri } = await begin(server, { fetch: held });
    const callback = await completeLogin(step.url, { visitCallback: false });
    const visits = [visit(callback), visit(callback)];
    // It comes after them, and is answered at once: by then both wait.
    expect((await visit(`${redirectUri}?state=x`)).status).toBe(400);
    release();
    const answers = await Promise.all(visits);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(answers[0]?.page).toBe(answers[1]?.page);
    expect(server.counts["token:code"]).toBe(1);
    await token;
  });
});

it("ends at once when the person denies, and says so in the browser", async () => {
  const server = await start();
  const { token, step } = await begin(server);
  const callback = await completeLogin(step.url, { deny: true, visitCallback: false });
  expect(callback.searchParams.get("error")).toBe("access_denied");
  const { page } = await visit(callback);
  expect(page).toMatch(/den(ied|y)/i);
  await expect(token).rejects.toMatchObject({ code: "access_denied" });
});

it("tells the browser and the caller when the exchange fails", async () => {
  const server = await start();
  const { token, step } = await begin(server);
  server.fail("token", { status: 500, body: "oops" });
  const { status, page } = await visit(await completeLogin(step.url, { visitCallback: false }));
  expect(status).toBe(400);
  expect(page).toContain("answered 500");
  await expect(token).rejects.toMatchObject({ code: "request_failed", status: 500 });
});

describe("ports", () => {
  it("come from the server where it lists them", async () => {
    const server = await start({ authPorts: [53_105], redirectPorts: [53_105] });
    const { token, step } = await begin(server);
    expect(step.port).toBe(53_105);
    await completeLogin(step.url);
    expect(await me(server, await token)).toBe(200);
  });

  it("of the caller win, and the first free one is taken", async () => {
    const server = await start({ authPorts: [53_105] });
    const first = await begin(server, { redirectPorts: [53_103, 53_104] });
    const second = await begin(server, { redirectPorts: [53_103, 53_104] });
    expect([first.step.port, second.step.port]).toEqual([53_103, 53_104]);
    const third = new CodeFlow(server.host, {
      store: memoryStore(),
      ui: scriptedPerson({ acts: false }).ui,
      redirectPorts: [53_103, 53_104],
    });
    await expect(third.authenticate()).rejects.toMatchObject({
      code: "no_free_port",
      message: expect.stringMatching(/53103.*53104/),
    });
    await completeLogin(first.step.url);
    await completeLogin(second.step.url);
    await Promise.all([first.token, second.token]);
  });

  it("are free again at once, login after login", async () => {
    const server = await start();
    for (let login = 0; login < 8; login++) {
      const { token, step } = await begin(server, { redirectPorts: [53_102] });
      await completeLogin(step.url);
      await token;
    }
    expect(server.counts["token:code"]).toBe(8);
  });
});

describe("pasting the address", () => {
  it("finishes the login where the browser cannot come back, after wrong ones", async () => {
    const server = await start();
    const lines: string[] = [];
    let ask = () => {};
    const asked = () =>
      new Promise<void>((resolve) => {
        ask = resolve;
      });
    let next = asked();
    const { token, step, ui } = await begin(
      server,
      {},
      {
        canPaste: true,
        readCallbackUrl: async () => {
          if (lines.length === 0) await next;
          return lines.shift();
        },
      },
    );
    expect(step.paste).toBe(true);
    const callback = await completeLogin(step.url, { visitCallback: false });
    const stranger = new URL(callback);
    stranger.searchParams.set("state", "a|b|c");
    lines.push("hello", "", stranger.href, `  ${callback.href.replace("localhost", "elsewhere.example")}  `);
    ask();
    next = asked();
    expect(await me(server, await token)).toBe(200);
    expect(ui.steps.filter((one) => one.type === "notice")).toHaveLength(2);
  });
});

describe("a login route that does not redirect", () => {
  it("is opened in the browser itself, and the callback must name our address", async () => {
    const server = await start();
    server.fail("login", { status: 200, body: "<html>Click here to go on</html>", contentType: "text/html" });
    const { token, step, redirectUri } = await begin(server);
    expect(step.url).toContain("/auth/v2/login?");
    expect((await visit(`${redirectUri}?code=x&state=a|http://localhost:1/callback|v`)).status).toBe(400);
    expect((await visit(`${redirectUri}?code=x&state=a`)).status).toBe(400);
    const location = (await fetch(step.url, { redirect: "manual" })).headers.get("location") ?? "";
    await completeLogin(location);
    expect(await me(server, await token)).toBe(200);
  });

  it("but fails is an error", async () => {
    const server = await start();
    server.fail("login", { status: 404, body: '{"detail":"Not Found"}' });
    const flow = new CodeFlow(server.host, {
      store: memoryStore(),
      ui: scriptedPerson({ acts: false }).ui,
    });
    await expect(flow.authenticate()).rejects.toMatchObject({ code: "request_failed", status: 404 });
  });
});

describe("waiting", () => {
  it("ends with the time-out, and frees the port", async () => {
    const server = await start();
    const { token, step } = await begin(server, { timeout: 0.5 });
    await expect(token).rejects.toMatchObject({ code: "login_timeout" });
    await expect(fetch(step.redirectUri)).rejects.toThrow();
  });

  it("ends with the signal, and frees the port", async () => {
    const server = await start();
    const abort = new AbortController();
    const { token, step } = await begin(server, { signal: abort.signal });
    abort.abort();
    await expect(token).rejects.toMatchObject({ code: "login_cancelled" });
    await expect(fetch(step.redirectUri)).rejects.toThrow();
  });
});

describe("opening the browser", () => {
  it("is done by the caller's function, with the login's URL", async () => {
    const server = await start();
    const opened: string[] = [];
    const { token, step } = await begin(server, { openBrowser: (url) => void opened.push(url) });
    await completeLogin(step.url);
    await token;
    expect(opened).toEqual([step.url]);
  });

  it("may fail: the login goes on, and the URL was shown", async () => {
    const server = await start();
    const openBrowser = () => Promise.reject(new Error("no browser"));
    const { token, step, ui } = await begin(server, { openBrowser });
    expect(await ui.seen("browser_failed")).toMatchObject({ reason: "no browser" });
    await completeLogin(step.url);
    await token;
  });
});
