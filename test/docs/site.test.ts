import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GUIDES } from "../../docs/.vitepress/guides.mjs";
import { launchBrowser } from "../support/browser.js";
import { deadLinksIn, readSite, SITE, serveSite, siteFiles } from "./built-site.js";
import { Exports } from "./exports.js";
import { pages, ROOT } from "./pages.js";

/** The modules of the package, and the folders of their pages. */
const MODULES: Readonly<Record<string, string>> = {
  "src/index.ts": "api/oidc-auth-client",
  "src/mcp/index.ts": "api/oidc-auth-client/mcp",
  "src/testing/index.ts": "api/oidc-auth-client/testing",
  "src/store/postgres-backend.ts": "api/oidc-auth-client/postgres",
  "src/store/redis-backend.ts": "api/oidc-auth-client/redis",
  "src/store/keychain-backend.ts": "api/oidc-auth-client/keychain",
};

let output = "";

beforeAll(() => {
  for (const made of ["docs/api", "docs/.vitepress/dist", "docs/.vitepress/cache"])
    rmSync(join(ROOT, made), { recursive: true, force: true });
  output = execFileSync("npm", ["run", "docs:reference", "--silent"], { cwd: ROOT, encoding: "utf8" });
  output += execFileSync("npm", ["run", "docs:site", "--silent"], { cwd: ROOT, encoding: "utf8" });
}, 300_000);

describe("the site", () => {
  it("is built without a warning", () => {
    expect(output).toContain("build complete");
    expect(output).not.toMatch(/\bwarn(ing)?\b|dead link/i);
  });

  it("has a page for each guide, and each guide a place in the sidebar", () => {
    const written = pages().filter((name) => name.startsWith("docs/") && name !== "docs/index.md");
    expect(GUIDES.map(({ name }) => `docs/${name}.md`).sort()).toEqual(written);
    for (const { name, about } of GUIDES) {
      const html = readSite(`${name}.html`);
      expect(html, name).toMatch(/<h1 id=/);
      expect(html, name).toContain(about.slice(0, 30));
    }
  });

  it("has a page for each export of the package", { timeout: 60_000 }, () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(Object.keys(MODULES)).toHaveLength(Object.keys(exports).length - 1);
    const made = siteFiles(".html");
    const known = new Exports(...Object.keys(MODULES));
    for (const [file, folder] of Object.entries(MODULES)) {
      const names = known.names(file);
      expect(names.length, file).toBeGreaterThan(0);
      const missing = names.filter(
        (name) => !made.some((page) => page.startsWith(`${folder}/`) && page.endsWith(`/${name}.html`)),
      );
      expect(missing, file).toEqual([]);
    }
    expect(readSite("api/commands.html")).toContain("--client-secret-env");
  });

  it("leads nowhere that is not there", () => {
    const files = siteFiles(".html");
    expect(files.length).toBeGreaterThan(120);
    expect(deadLinksIn(files)).toEqual([]);
  });

  it("takes nothing from elsewhere", () => {
    const foreign = siteFiles(".html").flatMap((name) => [
      ...readSite(name).matchAll(/<(?:script|img|iframe|link)\s[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g),
    ]);
    const inStyles = siteFiles(".css").flatMap((name) => [
      ...readSite(name).matchAll(/url\(["']?(?:https?:)?\/\/[^)]*\)|@import/g),
    ]);
    expect([...foreign, ...inStyles].map(([found]) => found)).toEqual([]);
  });

  it("tells programs that read what there is, and gives them the text", () => {
    const list = readSite("llms.txt");
    expect(list).toMatch(/^# oidc-auth-client\n\n> .+\n\n## /);
    const links = [...list.matchAll(/^- \[.+\]\(\/(.+)\): .+$/gm)].map(([, link = ""]) => link);
    expect(links).toEqual([...GUIDES.map(({ name }) => `${name}.md`), "api/index.html"]);
    for (const link of links) expect(existsSync(join(SITE, link)), link).toBe(true);
    const all = readSite("llms-full.txt");
    for (const { name } of GUIDES) expect(all, name).toContain(readSite(`${name}.md`).slice(0, 200));
    expect(all).not.toContain("<!-- not run");
  });
});

describe("the site in a browser", () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launchBrowser(), serveSite()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("is searched offline, and followed from page to page", { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    const [asked, faults]: [string[], string[]] = [[], []];
    page.on("request", (request) => asked.push(request.url()));
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(`${site.origin}/`);
    await page.getByRole("button", { name: "Search" }).first().click();
    await page.getByRole("searchbox").fill("store_unwritable");
    await page.locator(".VPLocalSearchBox .result", { hasText: "Errors" }).first().click();
    await page.waitForURL(/errors\.html#store_unwritable$/);
    expect(await page.locator("h3#store_unwritable").textContent()).toContain("store_unwritable");
    await page.getByRole("link", { name: "Unattended runs", exact: true }).first().click();
    await page.waitForURL(/unattended\.html/);
    // A link of the text, which is a file's in the repository and a guide's name here.
    await page.locator(".vp-doc").getByRole("link", { name: "Where it runs" }).click();
    await page.waitForURL(/environments\.html/);
    await page.locator("h1", { hasText: "Where it runs" }).waitFor();
    expect(faults).toEqual([]);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((url) => !url.startsWith(site.origin))).toEqual([]);
    await page.close();
  });

  it("is light or dark, as the reader's system is, or as they say", { timeout: 60_000 }, async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ colorScheme });
      await page.goto(`${site.origin}/api/oidc-auth-client/functions/authenticate.html`);
      const dark = async () => /\bdark\b/.test((await page.locator("html").getAttribute("class")) ?? "");
      expect(await dark()).toBe(colorScheme === "dark");
      await page.getByRole("switch").first().click();
      expect(await dark()).toBe(colorScheme !== "dark");
      await page.close();
    }
  });
});
