import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { type AuthServer, completeLogin, startAuthServer } from "../../src/testing/index.js";
import { launchBrowser } from "../support/browser.js";
import { EXAMPLES } from "../support/examples.js";
import { tempFolder } from "../support/temp-folder.js";

/** The main process, its preload script and its page, all as they stand; only the module `electron` is a stand-in. */

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

interface Message {
  readonly id?: number;
  readonly answer?: unknown;
  readonly channel?: string;
  readonly message?: unknown;
  readonly page?: string;
  readonly preload?: string;
  readonly opened?: string;
}

interface Desktop {
  readonly page: Page;
  readonly main: ChildProcess;
  /** What came from the main process to the page. */
  readonly toPage: unknown[];
  /** The next address that the system's browser is asked to open. */
  opened(): Promise<string>;
}

async function start(
  server: AuthServer,
  userData: string,
  env: Record<string, string> = {},
): Promise<Desktop> {
  const script = join(import.meta.dirname, "electron/start.mjs");
  const main = spawn(process.execPath, ["--import", "tsx", script, join(EXAMPLES, "electron-main/main.ts")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { PATH: process.env["PATH"] ?? "", AUTH_HOST: server.host, USER_DATA: userData, ...env },
  });
  onTestFinished(() => void main.kill("SIGKILL"));
  const heard = new EventEmitter();
  const toPage: unknown[] = [];
  main.on("message", (message: Message) => {
    if (message.channel !== undefined) toPage.push(message.message);
    heard.emit(message.id === undefined ? (Object.keys(message)[0] ?? "") : String(message.id), message);
  });
  const next = async (name: string) => (await once(heard, name))[0] as Message;
  const { page: file = "", preload = "" } = await next("page");
  let calls = 0;
  const invoke = async (channel: string) => {
    const id = ++calls;
    const answer = next(String(id));
    main.send({ id, channel });
    return (await answer).answer;
  };
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await bridge(page, preload, heard, invoke);
  await page.goto(`file://${file}`);
  return { page, main, toPage, opened: async () => (await next("opened")).opened ?? "" };
}

/** Runs the preload script, and gives the page what it exposes. */
async function bridge(
  page: Page,
  preload: string,
  heard: EventEmitter,
  invoke: (channel: string) => Promise<unknown>,
): Promise<void> {
  let api: Record<string, (listener?: unknown) => unknown> = {};
  const electron = {
    contextBridge: { exposeInMainWorld: (_name: string, given: typeof api) => (api = given) },
    ipcRenderer: {
      invoke,
      on: (_channel: string, listener: (event: object, step: unknown) => void) =>
        heard.on("channel", ({ message }: Message) => listener({}, message)),
    },
  };
  runInNewContext(readFileSync(preload, "utf8"), { require: () => electron });
  const names = Object.keys(api).filter((name) => name !== "onLogin");
  for (const name of names) await page.exposeFunction(`call_${name}`, () => api[name]?.());
  api["onLogin"]?.((step: unknown) => page.evaluate(`showStep(${JSON.stringify(step)})`));
  await page.addInitScript(`
    window.example = { onLogin: (listener) => (window.showStep = listener) };
    for (const name of ${JSON.stringify(names)}) window.example[name] = window["call_" + name];`);
}

const status = (page: Page) => page.getByRole("status");

it("a person logs in in their browser, is told who they are, and is still logged in the next day", async () => {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const folder = tempFolder();
  const { page, main, opened, toPage } = await start(server, folder);
  const address = opened();
  await page.getByRole("button", { name: "Log in" }).click();
  const link = await address;
  await status(page).getByText("Go on in your browser.").waitFor();
  await completeLogin(link, { name: "bea" });
  await status(page)
    .getByText(/login: \{"until":\d+\}/)
    .waitFor();
  await page.getByRole("button", { name: "Who am I?" }).click();
  await status(page).getByText('"username":"bea"').waitFor();
  main.send({ quit: true });
  expect(await once(main, "exit")).toEqual([0, null]);

  const again = await start(server, folder);
  await again.page.getByRole("button", { name: "Who am I?" }).click();
  await status(again.page).getByText('"username":"bea"').waitFor();
  await again.page.getByRole("button", { name: "Log out" }).click();
  await status(again.page).getByText("logout: true").waitFor();
  expect(server.counts).toMatchObject({ login: 1, "token:code": 1, me: 2 });

  // Neither the page nor the disk has a token in the clear.
  const kept = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  expect(kept.length).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(toPage) + kept.join("")).not.toMatch(
    /access_token|refresh_token|accessToken|deviceCode/,
  );
});

it("a login that is given up says so, and what to do next", async () => {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const { page, opened } = await start(server, tempFolder());
  const address = opened();
  await page.getByRole("button", { name: "Log in" }).click();
  await address;
  await status(page).getByText("Go on in your browser.").waitFor();
  await page.getByRole("button", { name: "Give up" }).click();
  await status(page).getByText("The login was given up. Start the login again.").waitFor();
});
