import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { CodeFlow } from "../../src/flows/code-flow.js";
import { memoryStore, scriptedPerson } from "../../src/testing/index.js";
import { launchBrowser } from "../support/browser.js";
import { type HostileAnswer, startHostileServer, unsignedJwt } from "../support/hostile-server.js";
import { HOSTILE_MARKUP, longText, MADE_BY_SHELL } from "../support/hostile-text.js";

/** The page that a real browser ends on, after a login at a server that would like to have it. */

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const refused = (text: string): HostileAnswer => ({
  status: 400,
  body: { error: text, error_description: text, error_uri: text },
});
/** What stands there as the text that it is. */
const MARKUP_SHOWN = `<script>document.title='${MADE_BY_SHELL}'</script>`;
/** Where a server, or who sent the browser back, can write something that the page might show. */
interface Way {
  readonly answer: HostileAnswer;
  /** Of the callback, beside the state. */
  readonly query?: string;
  readonly heading: string;
  readonly shows?: string;
}
const WAYS: Readonly<Record<string, Way>> = {
  "the server's refusal of the code": {
    answer: refused(HOSTILE_MARKUP),
    heading: "The login did not work",
  },
  "a megabyte of a refusal": {
    answer: { status: 400, body: { error: longText(HOSTILE_MARKUP) } },
    heading: "The login did not work",
  },
  "a failure that is no JSON": {
    answer: { status: 500, headers: { "content-type": "text/html" }, body: HOSTILE_MARKUP },
    heading: "The login did not work",
    shows: "answered 500",
  },
  "the provider's refusal, in the address": {
    answer: refused("x"),
    query: `error=${encodeURIComponent(HOSTILE_MARKUP)}&error_description=${encodeURIComponent(HOSTILE_MARKUP)}`,
    heading: "The login did not work",
  },
  "the name of who is logged in": {
    answer: {
      body: {
        access_token: "t",
        token_type: "bearer",
        expires_in: 60,
        id_token: unsignedJwt({ preferred_username: HOSTILE_MARKUP }),
      },
    },
    heading: "You are logged in",
  },
};

it.each(Object.entries(WAYS))("shows text, runs nothing and asks for nothing: %s", async (_name, way) => {
  const server = await startHostileServer({ evil: () => HOSTILE_MARKUP });
  server.answers.set("/auth/v2/token", way.answer);
  const { ui } = scriptedPerson({ acts: false });
  const flow = new CodeFlow(server.host, { store: memoryStore(), ui, env: {}, openBrowser: false });
  const login = flow.authenticate().catch((error: unknown) => error);
  const { url, redirectUri } = await ui.seen("code");
  const state = new URL(url).searchParams.get("state") ?? "";
  const address = `${redirectUri}?state=${encodeURIComponent(state)}&${way.query ?? "code=a"}`;

  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const requests: string[] = [];
  const dialogs: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(address);
  await login;
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(way.heading);
  expect(await page.title()).toBe(way.heading);
  const active = "script, img, iframe, form, button, link, base, meta[http-equiv], [onload], [onmouseover]";
  expect(await page.locator(active).count()).toBe(0);
  const text = (await page.locator("main").textContent()) ?? "";
  expect(text).toContain(way.shows ?? MARKUP_SHOWN);
  expect(text.length).toBeLessThan(1200);
  expect(requests).toEqual([new URL(address).href]);
  expect(dialogs).toEqual([]);
});
