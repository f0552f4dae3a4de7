import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { LoginStep } from "../../src/login-ui.js";
import { createTerminalUi } from "../../src/terminal/terminal-ui.js";

const NOW = 1_700_000_000_000;
const DEVICE: LoginStep = {
  type: "device",
  server: "https://auth.example.org",
  expiresAt: NOW + 600_000,
  code: {
    uri: "https://id.example.org/device?user_code=ABCD-EFGH",
    verificationUri: "https://id.example.org/device",
    verificationUriComplete: "https://id.example.org/device?user_code=ABCD-EFGH",
    userCode: "ABCD-EFGH",
    deviceCode: "device-secret",
    expiresIn: 600,
    interval: 5,
  },
};
const CODE: LoginStep = {
  type: "code",
  server: "https://auth.example.org",
  url: "https://id.example.org/auth?client_id=x&state=y",
  redirectUri: "http://localhost:53100/callback",
  port: 53_100,
  ssh: false,
  paste: false,
  expiresAt: NOW + 300_000,
};

function terminal(isTTY: boolean, env: Record<string, string> = {}) {
  let written = "";
  const stderr = { isTTY, write: (text: string) => (written += text) };
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const ui = createTerminalUi({ stderr, stdin, env, now: () => NOW });
  return { ui, stdin, text: () => written, lines: () => written.split("\n") };
}

describe("without a terminal", () => {
  it("link and code stand on plain lines of their own", () => {
    const { ui, lines, text } = terminal(false);
    void ui.show(DEVICE);
    expect(lines()).toContain("https://id.example.org/device?user_code=ABCD-EFGH");
    expect(lines()).toContain("ABCD-EFGH");
    expect(text()).toContain("10:00 min");
    expect(text()).not.toContain("\u001b");
    expect(text()).not.toContain("device-secret");
  });

  it("so does the login's address, and nothing moves", () => {
    const { ui, lines, text } = terminal(false);
    void ui.show(CODE);
    ui.waiting?.(NOW + 1000)();
    expect(lines()).toContain("https://id.example.org/auth?client_id=x&state=y");
    expect(text()).not.toMatch(/[\u001b\r]/);
  });

  it("nothing can be pasted", () => {
    expect(terminal(false).ui.canPaste).toBe(false);
  });
});

describe("on a terminal", () => {
  it("the link can be clicked, and copied whole", () => {
    const { ui, text } = terminal(true);
    void ui.show(DEVICE);
    const url = "https://id.example.org/device?user_code=ABCD-EFGH";
    expect(text()).toContain(`\u001b]8;;${url}\u001b\\${url}\u001b]8;;\u001b\\\n`);
  });

  it("the code stands out in a frame", () => {
    const { ui, text } = terminal(true, { NO_COLOR: "1" });
    void ui.show(DEVICE);
    expect(text()).toMatch(/┌─{13}┐\n {2}│ {2}\S*ABCD-EFGH\S* {2}│\n {2}└─{13}┘/);
  });

  it("a spinner counts down, and gives line and cursor back", () => {
    const { ui, text } = terminal(true);
    const stop = ui.waiting?.(NOW + 61_000);
    expect(text()).toContain("\u001b[?25l");
    expect(text()).toContain("1:01 left");
    stop?.();
    stop?.();
    expect(text().endsWith("\r\u001b[2K\u001b[?25h")).toBe(true);
    expect(text().split("\u001b[?25h")).toHaveLength(2);
  });

  it.each([
    ["TERM=dumb", { TERM: "dumb" }, /\u001b/],
    ["NO_COLOR", { NO_COLOR: "1" }, /\u001b\[3\dm/],
  ])("%s is heeded", (_name, env, forbidden) => {
    const { ui, text } = terminal(true, env);
    void ui.show(DEVICE);
    void ui.show({ type: "done" });
    if ("TERM" in env) ui.waiting?.(NOW + 1000)();
    expect(text()).not.toMatch(forbidden);
  });
});

describe("over SSH", () => {
  it("the line that forwards the port stands alone, and pasting is offered", () => {
    const { ui, lines, text } = terminal(true);
    void ui.show({ ...CODE, ssh: true, paste: true });
    expect(lines().find((line) => line.startsWith("ssh -N -L 53100:localhost:53100 "))).toBeDefined();
    expect(text()).toContain("paste the address");
  });
});

describe("hostile text from the server", () => {
  it("changes nothing on the screen", () => {
    const { ui, text } = terminal(false);
    const evil = "\u001b[2J\u001b]0;owned\u0007\u202e\r\nAB";
    void ui.show({
      ...DEVICE,
      server: evil,
      code: { ...DEVICE.code, userCode: evil, uri: `https://x.org/${evil}` },
    });
    void ui.show({ type: "notice", message: evil });
    void ui.show({ type: "browser_failed", reason: evil });
    expect(text()).not.toMatch(/[\u001b\u0007\r\u202e]/);
  });
});

describe("reading the pasted address", () => {
  it("gives one line", async () => {
    const { ui, stdin } = terminal(true);
    const line = ui.readCallbackUrl?.(new AbortController().signal);
    stdin.write("http://localhost:53100/callback?code=x\nmore\n");
    expect(await line).toBe("http://localhost:53100/callback?code=x");
  });

  it("ends with the input, and with the signal", async () => {
    const one = terminal(true);
    const ended = one.ui.readCallbackUrl?.(new AbortController().signal);
    one.stdin.end();
    expect(await ended).toBeUndefined();
    const two = terminal(true);
    const abort = new AbortController();
    const aborted = two.ui.readCallbackUrl?.(abort.signal);
    abort.abort();
    expect(await aborted).toBeUndefined();
    expect(await two.ui.readCallbackUrl?.(abort.signal)).toBeUndefined();
  });
});
