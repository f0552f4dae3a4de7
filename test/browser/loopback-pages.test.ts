import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, ConsoleMessage } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CallbackListener, listenForCallback } from "../../src/loopback/listener.js";
import { broken, denied, failed, ignored, type LoopbackPage, success } from "../../src/loopback/pages.js";
import { launchBrowser } from "../support/browser.js";
import { HOSTILE_MARKUP } from "../support/hostile-text.js";

const SERVER = "https://auth.example.org";
const HOSTILE = `<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>"'&${"W".repeat(200)}\u202e\u001b[31m`;

const PAGES: Record<string, LoopbackPage> = {
  success: success(SERVER),
  denied: denied(SERVER),
  failed: failed(SERVER, "The server answered: invalid_scope (unknown scope).", "Ask for other scopes."),
  ignored: ignored(),
  broken: broken(),
  who: success(SERVER, HOSTILE_MARKUP),
  server: failed(HOSTILE_MARKUP, HOSTILE_MARKUP, HOSTILE_MARKUP),
  nobody: denied(HOSTILE_MARKUP),
  hostile: { kind: "error", title: "A <b>bad</b> title", message: HOSTILE, detail: HOSTILE },
};

const VIEWS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: "light", viewport: { width: 1024, height: 720 } },
  dark: { colorScheme: "dark", viewport: { width: 1024, height: 720 } },
  phone: { colorScheme: "light", viewport: { width: 375, height: 667 }, deviceScaleFactor: 2 },
  "phone-dark": { colorScheme: "dark", viewport: { width: 375, height: 667 }, deviceScaleFactor: 2 },
  // The narrowest width at which nothing may need sideways scrolling (WCAG 1.4.10).
  narrow: { colorScheme: "light", viewport: { width: 320, height: 560 } },
};

let browser: Browser;
let listener: CallbackListener;

beforeAll(async () => {
  browser = await launchBrowser();
  listener = await listenForCallback({
    ports: await freePorts(3),
    handle: async (callback) => {
      const name = callback.searchParams.get("page") ?? "";
      return { status: name === "success" ? 200 : 400, page: PAGES[name] ?? ignored() };
    },
  });
});

afterAll(async () => {
  await listener?.close();
  await browser?.close();
});

describe.each(Object.entries(VIEWS))("%s", (view, options) => {
  test.each(Object.keys(PAGES))("the page %s", async (name) => {
    const context = await browser.newContext({ ...options, locale: "en" });
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on("console", (message: ConsoleMessage) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => requests.push(request.url()));
      page.on("dialog", (dialog) => complaints.push(dialog.message()));

      const url = `${listener.redirectUri}?page=${name}`;
      const response = await page.goto(url);
      expect(response?.status()).toBe(name === "success" ? 200 : 400);
      const heading = page.getByRole("heading", { level: 1 });
      expect(await heading.isVisible()).toBe(true);
      expect(await heading.textContent()).toBe(PAGES[name]?.title);
      expect(await page.title()).toBe(PAGES[name]?.title);
      expect(await page.getByText("You can close this tab").isVisible()).toBe(true);
      expect(
        await page.locator("script, img, iframe, b, form, button, link, base, [onload], [onerror]").count(),
      ).toBe(0);

      const facts = await page.evaluate<PageFacts>(MEASURE);
      expect(facts.overflow).toBeLessThanOrEqual(0);
      expect(facts.cardColour).not.toBe("rgba(0, 0, 0, 0)");
      for (const { text, ratio } of facts.contrast) expect(ratio, text).toBeGreaterThanOrEqual(4.5);
      expect(facts.contrast.length).toBeGreaterThanOrEqual(3);
      expect(facts.dark).toBe(options.colorScheme === "dark");

      const folder = process.env["SCREENSHOTS"];
      if (folder) {
        await mkdir(folder, { recursive: true });
        await page.screenshot({ path: join(folder, `loopback-${name}-${view}.png`) });
      }
      // Chromium notes every answer that is not a success as an error of the page's console; nothing else may be there.
      expect(
        complaints.filter((text) => !text.includes("the server responded with a status of 400")),
      ).toEqual([]);
      expect([...new Set(requests)]).toEqual([url]);
    } finally {
      await context.close();
    }
  });
});

test("a script or a style that got into a page would not run", async () => {
  const page = await browser.newPage();
  try {
    await page.goto(`${listener.redirectUri}?page=success`);
    const violated = await page.evaluate<string[]>(INJECT);
    expect(violated).toEqual(["img-src", "script-src-elem", "style-src-elem"]);
  } finally {
    await page.context().close();
  }
});

// What runs in the page is text: its types are the browser's, and this project is compiled without them.

/** Injects a script, a style and an image, and says what the policy refused. */
const INJECT = `new Promise((resolve) => {
  const seen = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    seen.push(event.effectiveDirective);
    if (seen.length === 3) resolve(seen.sort());
  });
  const add = (name, change) => document.body.append(Object.assign(document.createElement(name), change));
  add("script", { textContent: "1" });
  add("style", { textContent: "h1{color:red}" });
  add("img", { src: "http://localhost:1/x.png" });
})`;

interface PageFacts {
  /** Pixels by which the page is wider than its window. */
  overflow: number;
  cardColour: string;
  dark: boolean;
  /** Contrast of each text with what lies behind it (WCAG 1.4.3). */
  contrast: { text: string; ratio: number }[];
}

const MEASURE = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element === null) return "rgb(255, 255, 255)";
    const colour = getComputedStyle(element).backgroundColor;
    return channels(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  const contrast = [...document.querySelectorAll("h1, p")].map((element) => {
    const values = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    return { text: element.textContent, ratio: (Math.max(...values) + 0.05) / (Math.min(...values) + 0.05) };
  });
  const root = document.documentElement;
  return {
    overflow: root.scrollWidth - root.clientWidth,
    cardColour: getComputedStyle(document.querySelector("main")).backgroundColor,
    dark: luminance(getComputedStyle(document.body).backgroundColor) < 0.2,
    contrast,
  };
})()`;

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
