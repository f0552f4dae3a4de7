import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AuthServer, approveDevice, completeLogin, startAuthServer } from "../../src/testing/index.js";
import { tempFolder } from "../support/temp-folder.js";
import { hasTmux, runInTerminal } from "../support/tmux.js";

/** The login as a person sees it, in a real terminal. */

const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");

async function world(args: string, size = { columns: 100, rows: 60 }, env: Record<string, string> = {}) {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(() => server.close());
  const home = tempFolder();
  // What the terminal is like afterwards is part of it: does it echo, and read lines?
  const script = `"${process.execPath}" "${CLI}" ${server.host} --interactive ${args}
echo "status $?; $(stty -a | grep -oE -- '-?(icanon|echo)\\b' | tr '\\n' ' ')"`;
  const terminal = runInTerminal(script, size, {
    HOME: home,
    XDG_CACHE_HOME: home,
    TERM: "tmux-256color",
    ...env,
  });
  return { server, terminal, cache: join(home, "py-oidc-auth") };
}

/** What differs from run to run, by its name. */
function steady(lines: readonly string[], server: AuthServer): string {
  return lines
    .join("\n")
    .replaceAll(server.host, "HOST")
    .replaceAll(server.issuer, "ISSUER")
    .replaceAll(new URL(server.issuer).host, "ISSUERNAME")
    .replace(/[A-Z]{4}-[A-Z]{4}/g, "CODE-CODE")
    .replace(/\d+:\d\d/g, "M:SS")
    .replace(/^ISSUER\/auth\?.*$/m, "ISSUER/auth?PARAMETERS")
    .replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, "*")
    .replace(/^[█▀▄ ]*[█▀▄][█▀▄ ]*$/gm, "QR")
    .replace(/(QR\n)+/g, "QR\n")
    .replace(/^ +$/gm, "");
}

const link = (lines: readonly string[]) => lines.find((line) => /^http\S+user_code=/.test(line)) ?? "";

describe.runIf(hasTmux())("in a terminal", () => {
  it("the login shows who asks, the address, the code, a QR code, the time that is left, and what to press", async () => {
    const { server, terminal } = await world("");
    const lines = await terminal.until(/Waiting for you/);
    expect(steady(lines, server)).toMatchSnapshot();
    await approveDevice(link(lines));
    const end = await terminal.until(/status \d+/);
    expect(end.join("\n")).toMatch(/You are logged in/);
    expect(end.join("\n")).toMatch(/status 0; icanon echo/);
  });

  it("a browser that comes back here wins over the code, and a pasted address does, too", async () => {
    for (const how of ["comes back", "pasted"]) {
      const { server, terminal, cache } = await world("");
      const lines = await terminal.until(/Waiting for you/);
      const url = lines.find((line) => /^http\S+\/auth\?/.test(line)) ?? "";
      const callback = await completeLogin(url, { visitCallback: how === "comes back" });
      if (how === "pasted") terminal.press("-l", callback.href);
      const end = await terminal.until(/status \d+/);
      expect(end.join("\n")).toMatch(/status 0; icanon echo/);
      expect(server.counts["token:code"]).toBe(1);
      expect(readdirSync(cache)).toEqual(["token-store.json"]);
    }
  });

  it("over SSH a login by code holds no port", async () => {
    const { terminal } = await world("", undefined, { SSH_CONNECTION: "x" });
    const lines = await terminal.until(/Waiting for you/);
    expect(lines.join("\n")).not.toMatch(/in a browser on this machine/);
    await approveDevice(link(lines));
    expect((await terminal.until(/status \d+/)).join("\n")).toMatch(/status 0; icanon echo/);
  });

  it("a small window gets no QR code", async () => {
    const { server, terminal } = await world("", { columns: 80, rows: 24 });
    const lines = await terminal.until(/Waiting for you/);
    expect(steady(lines, server)).toMatchSnapshot();
  });

  it.each([
    ["--plain", {}],
    ["", { NO_COLOR: "1" }],
    ["", { TERM: "dumb" }],
  ])("plain lines for %s %j", async (args, env) => {
    const { server, terminal } = await world(args, { columns: 100, rows: 40 }, env as Record<string, string>);
    const lines = await terminal.until(/^[A-Z]{4}-[A-Z]{4}$/m);
    expect(steady(lines, server)).not.toMatch(/[┌│└*→]|QR/);
    await approveDevice(link(lines));
    expect((await terminal.until(/status \d+/)).join("\n")).toMatch(/status 0; icanon echo/);
  });

  it.each([
    ["q", "q", 4],
    ["Ctrl-C", "C-c", 130],
  ])("%s gives up, and leaves the terminal and the store as they were", async (_name, key, status) => {
    const { terminal, cache } = await world("");
    await terminal.until(/Waiting for you/);
    terminal.press(key);
    const end = await terminal.until(/status \d+/);
    expect(end.join("\n")).toMatch(new RegExp(`status ${status}; icanon echo`));
    expect(end.join("\n")).not.toMatch(/Waiting for you/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each([
    ["q", ["q", "Enter"], 4],
    ["Ctrl-C", ["C-c"], 130],
  ])("%s gives up a login in the browser, too", async (_name, keys, status) => {
    const { terminal, cache } = await world("--flow code --no-browser");
    await terminal.until(/paste the address/);
    terminal.press(...keys);
    expect((await terminal.until(/status \d+/)).join("\n")).toMatch(
      new RegExp(`status ${status}; icanon echo`),
    );
    expect(readdirSync(cache)).toEqual([]);
  });
});
