import { PassThrough } from "node:stream";
import jsQR from "jsqr";
import { describe, expect, it } from "vitest";
import type { LoginStep } from "../../src/login-ui.js";
import { largeType } from "../../src/terminal/large-type.js";
import { createTerminalUi } from "../../src/terminal/terminal-ui.js";

const NOW = 1_700_000_000_000;
const DEVICE = {
  type: "device",
  server: "https://auth.example.org",
  expiresAt: NOW + 600_000,
  code: {
    uri: "https://id.example.org/device?user_code=ABCD-EFGH",
    verificationUri: "https://id.example.org/device",
    verificationUriComplete: "https://id.example.org/device?user_code=ABCD-EFGH",
    userCode: "ABCD-EFGH",
    expiresIn: 600,
    interval: 5,
  },
} as const satisfies LoginStep;
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

interface More {
  readonly columns?: number;
  readonly rows?: number;
  readonly qr?: boolean;
  readonly plain?: boolean;
  readonly setRawMode?: (raw: boolean) => unknown;
}

function terminal(isTTY: boolean, env: Record<string, string> = {}, more: More = {}) {
  let written = "";
  const { columns, rows, setRawMode, ...options } = more;
  const stderr = { isTTY, columns, rows, write: (text: string) => (written += text) };
  const stdin = Object.assign(new PassThrough(), { isTTY, ...(setRawMode && { setRawMode }) });
  const ui = createTerminalUi({ stderr, stdin, env, now: () => NOW, ...options });
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
  });

  it("so does the login's address, and nothing moves", () => {
    const { ui, lines, text } = terminal(false);
    void ui.show(CODE);
    ui.waiting?.(NOW + 1000, { giveUp: () => {} })();
    expect(lines()).toContain("https://id.example.org/auth?client_id=x&state=y");
    expect(text()).not.toMatch(/[\u001b\r]/);
  });

  it("nothing can be pasted", () => {
    expect(terminal(false).ui.canPaste).toBe(false);
  });
});

const GIVE_UP = { giveUp: () => {} };

describe("on a terminal", () => {
  it("the address can be clicked, and stands once raw on a line of its own", () => {
    const { ui, text, lines } = terminal(true);
    void ui.show(DEVICE);
    const url = "https://id.example.org/device?user_code=ABCD-EFGH";
    expect(text()).toContain(`\u001b]8;;${url}\u001b\\→ id.example.org/device\u001b]8;;\u001b\\`);
    expect(lines().filter((line) => line === url)).toHaveLength(1);
  });

  it("the code stands out in a frame", () => {
    const { ui, text } = terminal(true);
    void ui.show(DEVICE);
    expect(text()).toMatch(/┌─{13}┐\n {2}│ {2}\S*ABCD-EFGH\S* {2}│\n {2}└─{13}┘/);
  });

  it("and in large type, where the window has room and the letters can be drawn", () => {
    const wide = terminal(true, {}, { columns: 80, rows: 50 });
    void wide.ui.show(DEVICE);
    const shown = wide.lines().map((line) => line.replace(/\u001b\[\d+m/g, ""));
    const [top, middle, bottom] = shown.slice(shown.findIndex((line) => /^ {2}▄?[▀▄█ ]{40,}$/.test(line)));
    // A, B, C, D, -, …: three lines of half blocks.
    expect([top, middle, bottom].map((line) => line?.slice(2, 26))).toEqual([
      "▄▀▀▀▄ █▀▀▀▄ ▄▀▀▀▀ █▀▀▀▄ ",
      "█▀▀▀█ █▀▀▀▄ █     █   █ ",
      "▀   ▀ ▀▀▀▀   ▀▀▀▀ ▀▀▀▀  ",
    ]);
    for (const more of [
      { columns: 40, rows: 50 },
      { columns: 80, rows: 24 },
    ]) {
      const narrow = terminal(true, {}, more);
      void narrow.ui.show(DEVICE);
      expect(narrow.text()).not.toMatch(/▀▀▀/);
    }
    expect(largeType("ÄÖ", 80)).toEqual([]);
    expect(largeType("ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789", 1000)).toHaveLength(3);
  });

  it("a spinner counts down, and gives line and cursor back", () => {
    const { ui, text } = terminal(true);
    const stop = ui.waiting?.(NOW + 61_000, GIVE_UP);
    expect(text()).toContain("\u001b[?25l");
    expect(text()).toContain("1:01 left");
    stop?.();
    stop?.();
    expect(text().endsWith("\r\u001b[2K\u001b[?25h")).toBe(true);
    expect(text().split("\u001b[?25h")).toHaveLength(2);
  });

  it.each([
    [40, "Waiting for you, 1:01 left."],
    [20, "Waiting for you, "],
  ])(
    "in a window of %d columns the spinner stays in its line, and what to press is told before",
    (columns, shown) => {
      const { ui, text } = terminal(true, {}, { columns, setRawMode: () => {} });
      ui.waiting?.(NOW + 61_000, GIVE_UP)();
      const [help, frame = ""] = text().split("\u001b[?25l\r\u001b[2K");
      expect(help).toBe("q: give up\n");
      const [line = ""] = frame.split("\r");
      expect(line.slice(2)).toBe(shown);
      expect(line.length).toBeLessThan(columns);
    },
  );

  it("in a window that has room, or whose width nobody knows, all stands in one line", () => {
    for (const columns of [80, 0]) {
      const { ui, text } = terminal(true, {}, { columns, setRawMode: () => {} });
      ui.waiting?.(NOW + 61_000, GIVE_UP)();
      expect(text()).toContain("Waiting for you, 1:01 left. q: give up\r");
    }
  });

  it.each([
    ["TERM=dumb", { TERM: "dumb" }, {}],
    ["NO_COLOR", { NO_COLOR: "1" }, {}],
    ["--plain", {}, { plain: true }],
  ])("%s gives plain lines, and nothing moves", async (_name, env, options) => {
    const { ui, text, lines } = terminal(true, env as Record<string, string>, options);
    await ui.show(DEVICE);
    await ui.show({ type: "done" });
    ui.waiting?.(NOW + 1000, GIVE_UP)();
    expect(text()).not.toContain("\u001b");
    expect(lines()).toContain("ABCD-EFGH");
    expect(lines()).toContain(DEVICE.code.uri);
  });
});

describe("keys", () => {
  function waiting() {
    const modes: boolean[] = [];
    const one = terminal(true, {}, { setRawMode: (raw: boolean) => modes.push(raw) });
    const done: string[] = [];
    void one.ui.show(DEVICE);
    const stop = one.ui.waiting?.(NOW + 60_000, {
      openBrowser: () => void done.push("open"),
      giveUp: () => void done.push("give up"),
    });
    return { ...one, modes, done, stop };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("Enter opens the browser, c copies the code, q gives up; others do nothing", async () => {
    const { stdin, done, text, stop } = waiting();
    expect(text()).toContain("Enter: browser, c: copy the code, q: give up");
    stdin.write("x");
    stdin.write("\r");
    stdin.write("c");
    stdin.write("q");
    await turn();
    expect(done).toEqual(["open", "give up"]);
    expect(text()).toContain(`\u001b]52;c;${Buffer.from("ABCD-EFGH").toString("base64")}\u0007`);
    stop?.();
  });

  it("are let go of afterwards, with the terminal's mode as it was", async () => {
    const { stdin, done, modes, stop } = waiting();
    stop?.();
    stop?.();
    stdin.write("q");
    await turn();
    expect(modes).toEqual([true, false]);
    expect(done).toEqual([]);
    expect(stdin.isPaused()).toBe(true);
  });
});

describe("the QR code", () => {
  /** Reads what the terminal shows as a camera would: the blocks as pixels, by a decoder of its own. */
  function scan(text: string): string | undefined {
    const rows = text
      .split("\n")
      .filter((line) => line.includes("48;5;231m"))
      .map((line) => [...line.replace(/\u001b\[[\d;]*m/g, "")]);
    const width = rows[0]?.length ?? 0;
    const scale = 4;
    const pixels = new Uint8ClampedArray(width * scale * rows.length * 2 * scale * 4).fill(255);
    const height = rows.length * 2 * scale;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width * scale; x++) {
        const block = rows[Math.floor(y / scale / 2)]?.[Math.floor(x / scale)] ?? " ";
        const dark = Math.floor(y / scale) % 2 === 0 ? "▀█".includes(block) : "▄█".includes(block);
        const at = (y * width * scale + x) * 4;
        if (dark && block !== " ") pixels.fill(0, at, at + 3);
      }
    }
    const decode = jsQR as unknown as typeof jsQR.default;
    return decode(pixels, width * scale, height)?.data;
  }

  it("is that of the whole address, where it fits the window", async () => {
    const { ui, text } = terminal(true, {}, { columns: 80, rows: 50 });
    await ui.show(DEVICE);
    expect(scan(text())).toBe(DEVICE.code.uri);
  });

  it.each([
    ["a window of 20 columns", { columns: 20, rows: 60 }, false],
    ["a window of 24 rows", { columns: 80, rows: 24 }, false],
    ["--no-qr", { columns: 80, rows: 60, qr: false }, false],
    ["--qr in a small window", { columns: 20, rows: 10, qr: true }, true],
    ["--plain", { columns: 80, rows: 60, plain: true }, false],
  ])("with %s", async (_name, options, shown) => {
    const { ui, text } = terminal(true, {}, options);
    await ui.show(DEVICE);
    expect(scan(text())).toBe(shown ? DEVICE.code.uri : undefined);
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
