import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { openBrowser } from "../../src/flows/open-browser.js";
import { startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, MADE_BY_SHELL } from "../support/hostile-text.js";
import { startPlainServer } from "../support/plain-server.js";
import { runNode } from "../support/processes.js";
import { CLI } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

/** What the system is handed when a browser is to open a hostile server's address. */

const ROOT = join(import.meta.dirname, "../..");
const WORKER = join(import.meta.dirname, "workers/open-browser.mjs");
const BUILT = join(ROOT, "dist/flows/open-browser.js");

const NOT_FOR_BROWSERS = [
  ...[
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "vbscript:x",
    "mailto:a@b",
  ],
  ...[
    "-x",
    "--help",
    "",
    "/etc/passwd",
    "C:\\Windows\\System32\\calc.exe",
    "\\\\evil.example\\share",
    "ssh://-oX=y",
  ],
  ...[
    "https://accounts.example.org@evil.example/",
    'https://"evil"/',
    `https://$(touch$IFS${MADE_BY_SHELL})/`,
  ],
];

/** Addresses that go through, and would be more than one word, or a command, to a program that takes them apart. */
const FOR_BROWSERS = [
  "https://evil.example/-x --help",
  `https://evil.example/$(touch ${MADE_BY_SHELL})?q=$(touch ${MADE_BY_SHELL})#\`touch ${MADE_BY_SHELL}\``,
  `https://evil.example/?a="b"&c='d'&e=f;touch ${MADE_BY_SHELL};|x>y<z`,
  "https://evil.example/%0a%0d%00?x=%s%n%1b[2J",
  "https://evil.example/\u001b[2J\u202e\u0000 \t\n",
  "https://bücher.example/ü?ü#ü",
  "HTTPS://EVIL.example:443/*?[a-z]{b,c}~",
  "http://[::1]:8080/?a&b&c",
  `https://evil.example/'; touch ${MADE_BY_SHELL}; '`,
];

/** What opens a browser as one file, beside which nothing stands. @returns its path */
async function bundledInto(folder: string): Promise<string> {
  const outfile = join(folder, "open-browser.mjs");
  const asFile = { bundle: true, platform: "node", format: "esm", logLevel: "error" } as const;
  await build({ entryPoints: [BUILT], outfile, ...asFile });
  return outfile;
}

describe("a browser is opened", () => {
  it.each(NOT_FOR_BROWSERS)("never for %j", async (address) => {
    const opener = (url: string) => expect.fail(`${url} was opened`);
    await expect(openBrowser(opener, address, new AbortController().signal)).rejects.toMatchObject({
      code: "invalid_response",
    });
  });

  it.each(FOR_BROWSERS)("in its normal form for %j", async (address) => {
    const opened: string[] = [];
    await openBrowser((url) => void opened.push(url), address, new AbortController().signal);
    expect(opened).toEqual([new URL(address).href]);
    expect(opened[0]).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
    expect(opened[0]).not.toMatch(/[<>"]/);
  });
});

/** A browser that tells what it was called with. */
async function fakeBrowser(name: string) {
  const calls: string[][] = [];
  const watchers = new Set<() => void>();
  const port = await startPlainServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    calls.push(JSON.parse(text));
    response.end();
    for (const watcher of watchers) watcher();
  });
  const folder = tempFolder();
  const path = join(folder, name);
  const tell = `fetch("http://127.0.0.1:${port}", { method: "POST", body: JSON.stringify(process.argv.slice(1)) })`;
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" -e '${tell}' -- "$@"\n`);
  chmodSync(path, 0o755);
  return {
    path,
    folder,
    called: () =>
      new Promise<string[]>((resolve) => {
        const look = () => {
          const call = calls.shift();
          if (!call) return;
          watchers.delete(look);
          resolve(call);
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Where what others have can be acted. */
const onLinux = describe.runIf(process.platform === "linux");

/** Without a desktop, so that xdg-open takes the browser that BROWSER names. */
const PLAIN = { DISPLAY: ":99", XDG_CURRENT_DESKTOP: "", DESKTOP_SESSION: "" };

onLinux("the system is handed one word, which is the address", { timeout: 120_000 }, () => {
  it.each(["BROWSER", "BROWSER with %s"])(
    "by the xdg-open that comes with the package, through %s",
    async (how) => {
      const browser = await fakeBrowser("browser");
      const home = tempFolder();
      const BROWSER = how === "BROWSER" ? browser.path : `${browser.path} %s`;
      const env = { ...PLAIN, HOME: home, XDG_DATA_HOME: home, XDG_DATA_DIRS: home, BROWSER };
      for (const address of FOR_BROWSERS) {
        const child = runNode(WORKER, [BUILT, JSON.stringify(address)], env);
        expect(await browser.called()).toEqual([new URL(address).href]);
        await child.ended();
        expect(child.lines).toEqual(["asked"]);
      }
      for (const folder of [home, process.cwd()]) expect(readdirSync(folder)).not.toContain(MADE_BY_SHELL);
    },
  );

  it("by the program as one file, which has no xdg-open beside it, and takes the system's", async () => {
    const browser = await fakeBrowser("xdg-open");
    const folder = tempFolder();
    const alone = await bundledInto(folder);
    const env = { ...PLAIN, HOME: folder, PATH: `${browser.folder}:${process.env["PATH"]}` };
    for (const address of FOR_BROWSERS) {
      const child = runNode(WORKER, [alone, JSON.stringify(address)], env);
      expect(await browser.called()).toEqual([new URL(address).href]);
      await child.ended();
    }
    expect(readdirSync(folder)).not.toContain(MADE_BY_SHELL);
  });

  it("on macOS by open, behind which nothing else stands", async () => {
    const browser = await fakeBrowser("open");
    const env = { HOME: tempFolder(), PATH: `${browser.folder}:${process.env["PATH"]}` };
    for (const address of FOR_BROWSERS) {
      const child = runNode(WORKER, [BUILT, JSON.stringify(address), "darwin"], env);
      expect(await browser.called()).toEqual([new URL(address).href]);
      await child.ended();
    }
  });

  it("on Windows by PowerShell, in quotes in which nothing is run", async () => {
    const shell = await fakeBrowser("powershell.exe");
    // Where Windows has it, as a file of this name: here a backslash is a letter.
    const root = join(tempFolder(), "windows");
    symlinkSync(shell.path, `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`);
    const env = { HOME: tempFolder(), SYSTEMROOT: root };
    for (const address of FOR_BROWSERS) {
      const child = runNode(WORKER, [BUILT, JSON.stringify(address), "win32"], env);
      const command = Buffer.from((await shell.called()).at(-1) ?? "", "base64").toString("utf16le");
      const quoted = /^\$ProgressPreference = 'SilentlyContinue'; Start '((?:[^']|'')*)'$/.exec(command);
      expect(quoted?.[1]?.replaceAll("''", "'"), command).toBe(new URL(address).href);
      await child.ended();
    }
  });

  it("and nothing at all where the address is not for browsers", async () => {
    const browser = await fakeBrowser("browser");
    const env = { ...PLAIN, HOME: tempFolder(), BROWSER: browser.path };
    for (const address of NOT_FOR_BROWSERS) {
      const child = runNode(WORKER, [BUILT, JSON.stringify(address)], env);
      await child.ended();
      expect(child.lines, address).toEqual(["AuthError invalid_response"]);
    }
    // It would have been called before this one.
    runNode(WORKER, [BUILT, JSON.stringify("https://good.example/")], env);
    expect(await browser.called()).toEqual(["https://good.example/"]);
  });

  it("a program that cannot be started is an AuthError, and not the end of the process", async () => {
    const folder = tempFolder();
    const alone = await bundledInto(folder);
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const child = runNode(WORKER, [alone, JSON.stringify("https://good.example/")], {
      ...PLAIN,
      HOME: folder,
      PATH: empty,
    });
    expect(await child.ended()).toMatchObject({ code: 0 });
    expect(child.lines).toEqual(["AuthError request_failed"]);
  });

  it("by the program, in a login at a hostile server", async () => {
    const browser = await fakeBrowser("browser");
    const server = await startHostileServer({ evil: () => ALL_HOSTILE });
    const home = tempFolder();
    const env = {
      ...PLAIN,
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_DATA_HOME: home,
      XDG_DATA_DIRS: home,
      BROWSER: browser.path,
    };
    const child = runNode(CLI, [server.host, "--interactive", "--flow", "code"], env);
    const [address = "", ...more] = await browser.called();
    expect(more).toEqual([]);
    expect(address).toMatch(/^https:\/\/evil\.example\/[\x21-\x7e]+$/);
    expect(address).not.toMatch(/[<>"]/);
    child.process.kill("SIGINT");
    await child.ended();
    for (const folder of [home, dirname(CLI), process.cwd()])
      expect(readdirSync(folder)).not.toContain(MADE_BY_SHELL);
  });
});
