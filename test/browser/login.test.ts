import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { unverifiedClaims } from "../../src/jwt.js";
import { logout } from "../../src/logout.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { type AuthServer, memoryStore, scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { launchBrowser } from "../support/browser.js";
import { startIssuer } from "../support/issuer.js";

/** Whole logins as a person sees them, in a real browser. `SCREENSHOTS=folder` keeps a picture of each page. */

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

async function world(
  options: AuthenticateOptions,
): Promise<{ server: AuthServer; page: Page; token: Promise<string> }> {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false });
  onTestFinished(() => server.close());
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  let open = (_url: string): void => {};
  const opened = new Promise<string>((resolve) => {
    open = resolve;
  });
  const { ui } = scriptedPerson({ acts: false });
  void ui.seen("device").then((step) => open(step.code.uri));
  const login = authenticate(server.host, {
    store: memoryStore(),
    ui,
    env: { DISPLAY: ":0" },
    openBrowser: open,
    ...options,
  });
  const token = login.then((granted) => granted.headers.Authorization);
  token.catch(() => {});
  await page.goto(await opened);
  return { server, page, token };
}

async function me(server: AuthServer, authorization: string): Promise<unknown> {
  return (await fetch(server.meUrl, { headers: { authorization } })).json();
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel("Your name").fill("dora");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Allow" }).waitFor();
}

describe("in the browser", () => {
  it("a person signs in, allows, and sees that it is done", async () => {
    const { server, page, token } = await world({ flow: "code" });
    await picture(page, "login");
    await signIn(page);
    await picture(page, "consent");
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/^http:\/\/localhost:\d+\/callback\?/);
    expect(await page.getByRole("heading").textContent()).toMatch(/logged in|signed in/i);
    await picture(page, "success");
    expect(await me(server, await token)).toMatchObject({ username: "dora" });
  });

  it("a person logs out, and ends their session at the provider", async () => {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const target = { issuer: server.issuer, clientId: server.clientId };
    const options: AuthenticateOptions = {
      store: memoryStore(),
      ...scriptedPerson({ acts: false }),
      openBrowser: (url) => void page.goto(url),
    };
    const login = authenticate(target, { ...options, flow: "code" });
    await signIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await login;
    const { revoked } = await logout(target, { ...options, endSession: true });
    expect(revoked).toBe(true);
    await page.getByRole("heading", { name: "Sign out?" }).waitFor();
    await picture(page, "sign-out");
    await page.getByRole("button", { name: "Yes, sign out" }).click();
    await page.getByRole("heading", { name: "You are signed out" }).waitFor();
    await picture(page, "signed-out");
  });

  it.each(["light", "dark", "phone"])("the page bears a product's name and logo: %s", async (view) => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><rect width="96" height="48" rx="12" fill="#3b6fd4"/></svg>';
    const loopbackPages = {
      productName: "Weather <b>Lab</b>",
      logo: `data:image/svg+xml;base64,${btoa(svg)}`,
    };
    const { page, token } = await world({ flow: "code", loopbackPages });
    if (view === "dark") await page.emulateMedia({ colorScheme: "dark" });
    if (view === "phone") await page.setViewportSize({ width: 375, height: 667 });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await signIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/^http:\/\/localhost:\d+\/callback\?/);
    expect(await page.getByText("Weather <b>Lab</b>").isVisible()).toBe(true);
    expect(await page.evaluate<number>('document.querySelector("img").naturalWidth')).toBe(96);
    await picture(page, `branded-${view}`);
    await token;
    expect(complaints).toEqual([]);
  });

  it("a person denies, and sees that nothing was given", async () => {
    const { page, token } = await world({ flow: "code" });
    await signIn(page);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.waitForURL(/^http:\/\/localhost:\d+\/callback\?/);
    expect(await page.getByRole("heading").textContent()).toMatch(/not allowed/i);
    await picture(page, "denied");
    await expect(token).rejects.toMatchObject({ code: "access_denied" });
  });

  it("a code that the server does not take is told on the page", async () => {
    const { server, page, token } = await world({ flow: "code" });
    await signIn(page);
    server.fail("token", { status: 400, body: '{"error":"invalid_grant"}' });
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/^http:\/\/localhost:\d+\/callback\?/);
    expect(await page.locator("body").textContent()).toContain("invalid_grant");
    await picture(page, "error");
    await expect(token).rejects.toMatchObject({ code: "invalid_grant" });
  });
});

describe("at an OpenID provider", () => {
  it("a person signs in, allows, and ends on our page, with a pushed request and any free port", async () => {
    const { issuer } = await startIssuer({
      features: { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } },
    });
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const token = authenticate(
      { issuer, clientId: "cli" },
      {
        store: memoryStore(),
        ui: scriptedPerson({ acts: false }).ui,
        env: { DISPLAY: ":0" },
        interactive: true,
        openBrowser: (url) => void page.goto(url),
      },
    );
    await page.waitForURL(/\/interaction\//);
    await signIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback\?/);
    expect(await page.getByRole("heading").textContent()).toMatch(/logged in/i);
    await picture(page, "issuer-success");
    expect(unverifiedClaims((await token).idToken ?? "")).toMatchObject({ sub: "dora" });
  });
});

describe("with a device code", () => {
  it("a person compares the code, signs in, allows, and the program goes on", async () => {
    const { server, page, token } = await world({ flow: "device" });
    await page.getByRole("button", { name: "Yes, continue" }).waitFor();
    await picture(page, "device-code");
    await page.getByRole("button", { name: "Yes, continue" }).click();
    await page.getByLabel("Your name").waitFor();
    await signIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    expect(await me(server, await token)).toMatchObject({ username: "dora" });
  });

  it("a person denies it", async () => {
    const { page, token } = await world({ flow: "device" });
    await page.getByRole("button", { name: "No, deny it" }).click();
    await expect(token).rejects.toMatchObject({ code: "access_denied" });
  });
});
