import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type HostileAnswer, startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, HOSTILE_TEXTS, longText, MADE_BY_SHELL } from "../support/hostile-text.js";
import { CLI } from "../support/program.js";
import { troubles } from "../support/screen.js";
import { tempFolder } from "../support/temp-folder.js";
import { hasTmux, runInTerminal } from "../support/tmux.js";

/** A login at a hostile server in a real terminal: it stays what it was, whatever the server says. */

const [TOKEN, DEVICE] = ["/auth/v2/token", "/auth/v2/device"];
/** Nobody has entered the code yet. */
const PENDING = { status: 400, body: { error: "authorization_pending", error_description: ALL_HOSTILE } };

async function login(
  evil: (field: string) => string,
  {
    args = "",
    answers = { [TOKEN]: PENDING },
  }: { args?: string; answers?: Readonly<Record<string, HostileAnswer>> } = {},
) {
  const server = await startHostileServer({ evil });
  for (const [path, answer] of Object.entries(answers)) server.answers.set(path, answer);
  const home = tempFolder();
  const script = `"${process.execPath}" "${CLI}" ${server.host} --interactive ${args}
echo "status $?; $(stty -a | grep -oE -- '-?(icanon|echo)\\b' | tr '\\n' ' ')"`;
  const terminal = runInTerminal(
    script,
    { columns: 120, rows: 70 },
    {
      HOME: home,
      XDG_CACHE_HOME: home,
      TERM: "tmux-256color",
    },
  );
  const title = terminal.title();
  return {
    server,
    terminal,
    /** Waits for the end of the program, and looks at all that came to the terminal. */
    async ended(status: number, copies: readonly string[] = []): Promise<string> {
      const end = (await terminal.until(/status \d+/)).join("\n");
      expect(end).toContain(`status ${status}; icanon echo`);
      expect(troubles(terminal.written(), { terminal: true, copies })).toEqual([]);
      expect(terminal.title()).toBe(title);
      expect(terminal.title()).not.toContain(MADE_BY_SHELL);
      expect(readdirSync(home)).not.toContain(MADE_BY_SHELL);
      return end;
    },
  };
}

/** All that is hostile, and in addresses only so much that the rest of the login stays on the screen. */
const allButAddresses = (field: string) =>
  /uri|location/.test(field) ? (HOSTILE_TEXTS["a link (OSC 8)"] ?? "") : ALL_HOSTILE;

/** The code as it is shown. */
const shown = (lines: readonly string[]) => /│ {2}(.*?) {2}│/.exec(lines.join("\n"))?.[1]?.trim() ?? "";

const aMegabyte = () => longText(`${HOSTILE_TEXTS["a cleared screen"]}x`);

describe.runIf(hasTmux())("in a terminal", { timeout: 120_000 }, () => {
  it.each([
    "a title (OSC 0)",
    "the clipboard (OSC 52)",
    "other modes",
    "eight-bit controls",
    "right to left",
    "lines of its own",
    "marks upon marks",
  ])("nothing of a hostile server's changes it: %s", async (name) => {
    const { terminal, server, ended } = await login(() => HOSTILE_TEXTS[name] ?? "");
    const lines = await terminal.until(/Waiting for you/);
    expect(shown(lines)).toMatch(/^AB-CD/);
    server.answers.delete(TOKEN);
    await ended(0);
  });

  it("nor all of it at once; c copies the code as it is shown, and nothing more", async () => {
    const { terminal, server, ended } = await login(allButAddresses);
    const code = shown(await terminal.until(/Waiting for you/));
    expect(code).toMatch(/^AB-CD ./);
    terminal.press("c");
    await terminal.untilWritten("\u001b]52;c;");
    server.answers.delete(TOKEN);
    await ended(0, [code]);
  });

  it.each<[string, HostileAnswer]>([
    ["a refusal", { status: 400, body: { error: "access_denied", error_description: ALL_HOSTILE } }],
    ["an unknown error", { status: 400, body: { error: ALL_HOSTILE, error_description: ALL_HOSTILE } }],
    ["failures of a form", { status: 422, body: { detail: [{ loc: [ALL_HOSTILE], msg: ALL_HOSTILE }] } }],
    ["plain text", { status: 418, body: ALL_HOSTILE }],
    ["a megabyte", { status: 400, body: { error: "access_denied", error_description: aMegabyte() } }],
  ])("what a server says where it refuses is text of a few lines: %s", async (_name, answer) => {
    const { ended } = await login(() => "y", { answers: { [TOKEN]: answer } });
    const end = await ended(1);
    expect(end).toMatch(/^oidc-auth: /m);
    expect(end.slice(end.indexOf("oidc-auth: ")).split("\n").length).toBeLessThan(12);
  });

  it("an address that no QR code can hold is shown without one", async () => {
    const long = (field: string) => (field === "verification_uri_complete" ? "x".repeat(1500) : "y");
    const { terminal, server, ended } = await login(long, { args: "--qr" });
    await terminal.until(/Waiting for you/);
    expect(terminal.written().includes("48;5;231m")).toBe(false);
    server.answers.delete(TOKEN);
    await ended(0);
  });

  it.each<[string, number]>([
    ["user_code", 1],
    ["verification_uri", 1],
    ["verification_uri_complete", 0],
    ["message", 0],
  ])("a megabyte of %s is not shown", async (field, status) => {
    const device = {
      device_code: "d",
      user_code: "AB-CD",
      verification_uri: "https://good.example/",
      interval: 0.01,
      [field]: `https://evil.example/${aMegabyte()}`,
    };
    const { ended } = await login(() => "y", { answers: { [DEVICE]: { body: device } } });
    await ended(status);
  });

  it("a login in the browser shows its address as one line of text", async () => {
    const { terminal, server, ended } = await login(allButAddresses, { args: "--flow code --no-browser" });
    const lines = await terminal.until(/paste the address/);
    expect(lines.filter((line) => /^https:\/\/evil\.example\/\S*state=\S*$/.test(line))).toHaveLength(1);
    terminal.press("q", "Enter");
    await ended(4);
    expect(server.count(TOKEN)).toBe(0);
  });
});
