import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { CodeFlow } from "../../src/flows/code-flow.js";
import type { LoginOptions } from "../../src/options.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { completeLogin, scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { heldExchange } from "../support/held-exchange.js";
import { machine } from "../support/machine.js";

const HOURS_MS = 3600_000;

describe("a login in the browser", () => {
  async function begin(options: LoginOptions = {}) {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    const clock = machine();
    const ui = scriptedPerson({ acts: false }).ui;
    const store = new TokenStore({ backend: memoryBackend() });
    const { now, uptime: up } = clock;
    const flow = new CodeFlow(server.host, {
      ...{ store, ui, env: {}, openBrowser: false, now, uptime: up },
      ...options,
    });
    const token = flow.authenticate();
    token.catch(() => {});
    return { clock, token, ui, step: await ui.seen("code") };
  }

  it("that the machine slept through has timed out when it wakes up, and frees the port", async () => {
    const { clock, token, step } = await begin();
    clock.pass(HOURS_MS);
    await expect(token).rejects.toMatchObject({
      code: "login_timeout",
      message: expect.stringContaining("300 s"),
      hint: expect.stringMatching(/\S/),
    });
    await expect(fetch(step.redirectUri)).rejects.toThrow();
  });

  it.each([HOURS_MS, -HOURS_MS])("goes on when the clock is set by %i ms", async (by) => {
    const { clock, token, step } = await begin();
    clock.setClock(by);
    await clock.looked();
    await completeLogin(step.url);
    expect(await token).toMatchObject({ tokenType: "Bearer" });
  });

  it("whose browser was closed ends with its time, and says what to do", async () => {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    const [store, ui] = [new TokenStore({ backend: memoryBackend() }), scriptedPerson({ acts: false }).ui];
    const login = authenticate(server.host, {
      store,
      ui,
      flow: "code",
      openBrowser: false,
      timeout: 0.2,
      interactive: true,
    });
    await expect(login).rejects.toMatchObject({
      code: "login_timeout",
      hint: expect.stringMatching(/[Ll]og in|again/),
    });
    expect(ui.steps.map((step) => step.type)).toEqual(["code", "failed"]);
  });

  it("takes what a second tab brings for what it is: the same page, or none of this login's", async () => {
    const { token, step } = await begin();
    const callback = await completeLogin(step.url, { visitCallback: false });
    const [otherCode, otherState] = [new URL(callback), new URL(callback)];
    otherCode.searchParams.set("code", "of-another-tab");
    const [random, ...rest] = (callback.searchParams.get("state") ?? "").split("|");
    otherState.searchParams.set("state", [`${random}x`, ...rest].join("|"));
    expect((await fetch(otherState)).status).toBe(400);
    const first = await fetch(callback);
    expect(first.status).toBe(200);
    const granted = await token;
    expect(granted.tokenType).toBe("Bearer");
    // By then the listener is closed: a second tab finds nobody, and changes nothing.
    await expect(fetch(otherCode)).rejects.toThrow();
  });

  it("whose second tab comes while the first one is answered shows both the same", async () => {
    const { fetch: held, asked, release } = heldExchange();
    const { token, step } = await begin({ fetch: held });
    const callback = await completeLogin(step.url, { visitCallback: false });
    const otherCode = new URL(callback);
    otherCode.searchParams.set("code", "of-another-tab");
    const first = fetch(callback);
    await asked;
    const visits = [first, fetch(otherCode)] as const;
    // It comes after them, and is answered at once: by then both wait.
    expect((await fetch(`${step.redirectUri}?state=x`)).status).toBe(400);
    release();
    const [one, two] = await Promise.all(visits);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(await one.text()).toBe(await two.text());
    await token;
  });
});
