import { describe, expect, it } from "vitest";
import { startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, HOSTILE_TEXTS, MADE_BY_SHELL, nearlyAMegabyte } from "../support/hostile-text.js";
import { CLI } from "../support/program.js";
import { troubles } from "../support/screen.js";
import { tempFolder } from "../support/temp-folder.js";
import { hasTmux, runInTerminal } from "../support/tmux.js";

/** A login at a hostile server in a real terminal: it stays what it was, whatever the server says. */

const PENDING = { status: 400, body: { error: "authorization_pending", error_description: ALL_HOSTILE } };

async function login(evil: (field: string) => string, args = "", size = { columns: 120, rows: 70 }) {
  const server = await startHostileServer({ evil });
  // Nobody has entered the code yet.
  server.answers.set("/auth/v2/token", PENDING);
  const home = tempFolder();
  const script = `"${process.execPath}" "${CLI}" ${server.host} --interactive ${args}
echo "status $?; $(stty -a | grep -oE -- '-?(icanon|echo)\\b' | tr '\\n' ' ')"`;
  const terminal = runInTerminal(script, size, {
    HOME: home,
    XDG_CACHE_HOME: home,
    TERM: "tmux-256color",
  });
  const title = terminal.title();
  return {
    server,
    terminal,
    /** Lets the login end, and looks at all that came to the terminal. */
    async finish(copies: readonly string[] = []) {
      server.answers.delete("/auth/v2/token");
      const end = (await terminal.until(/status \d+/)).join("\n");
      expect(end).toMatch(/status 0; icanon echo/);
      expect(troubles(terminal.written(), { terminal: true, copies })).toEqual([]);
      expect(terminal.title()).toBe(title);
      expect(terminal.title()).not.toContain(MADE_BY_SHELL);
    },
  };
}

/** All that is hostile, and in addresses only so much that the rest of the login stays on the screen. */
const allButAddresses = (field: string) =>
  /uri|location/.test(field) ? (HOSTILE_TEXTS["a link (OSC 8)"] ?? "") : ALL_HOSTILE;

/** The code as it is shown. */
const shown = (lines: readonly string[]) => /│ {2}(.*?) {2}│/.exec(lines.join("\n"))?.[1]?.trim() ?? "";

describe.runIf(hasTmux())("in a terminal", () => {
  it.each([
    "a title (OSC 0)",
    "the clipboard (OSC 52)",
    "other modes",
    "eight-bit controls",
    "right to left",
    "lines of its own",
    "marks upon marks",
  ])("nothing of a hostile server's changes it: %s", async (name) => {
    const { terminal, finish } = await login(() => HOSTILE_TEXTS[name] ?? "");
    const lines = await terminal.until(/Waiting for you/);
    expect(shown(lines)).toMatch(/^AB-CD/);
    await finish();
  });

  it("nor all of it at once; c copies the code as it is shown, and nothing more", async () => {
    const { terminal, finish } = await login(allButAddresses);
    const lines = await terminal.until(/Waiting for you/);
    const code = shown(lines);
    expect(code).toMatch(/^AB-CD .*…$/);
    terminal.press("c");
    await terminal.untilWritten("\u001b]52;c;");
    await finish([code]);
  });

  it("an address that no QR code can hold is shown without one", async () => {
    const long = (field: string) => (field === "verification_uri_complete" ? "x".repeat(1500) : "y");
    const { terminal, finish } = await login(long, "--qr");
    await terminal.until(/Waiting for you/);
    expect(terminal.written().includes("48;5;231m")).toBe(false);
    await finish();
  });

  it.each(["user_code", "verification_uri", "verification_uri_complete", "scope"])(
    "a megabyte of %s leaves the terminal as it was",
    async (field) => {
      const { server, terminal } = await login((one) =>
        one === field ? nearlyAMegabyte(`${HOSTILE_TEXTS["a cleared screen"]}x`) : "y",
      );
      server.answers.delete("/auth/v2/token");
      const end = (await terminal.until(/status \d+/)).join("\n");
      expect(end).toMatch(/status [01]; icanon echo/);
      expect(troubles(terminal.written(), { terminal: true })).toEqual([]);
    },
  );

  it("a login in the browser shows its address as one line of text", async () => {
    const { terminal, server } = await login(allButAddresses, "--flow code --no-browser");
    const lines = await terminal.until(/paste the address/);
    expect(lines.filter((line) => /^https:\/\/evil\.example\/\S*state=\S*$/.test(line))).toHaveLength(1);
    terminal.press("q", "Enter");
    const end = (await terminal.until(/status \d+/)).join("\n");
    expect(end).toMatch(/status 4; icanon echo/);
    expect(troubles(terminal.written(), { terminal: true })).toEqual([]);
    expect(server.count("/auth/v2/token")).toBe(0);
  });
});
