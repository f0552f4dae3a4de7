import { hostname, userInfo } from "node:os";
import type { LoginStep, LoginUi } from "../login-ui.js";
import { MAX_URL_LENGTH } from "../settings/address.js";
import { cleanText } from "../text.js";
import { type KeyInput, listenForKeys } from "./keys.js";
import { largeType } from "./large-type.js";
import { readLine } from "./read-line.js";
import { clock, fits, startSpinner, type TerminalStream } from "./spinner.js";
import { createStyle, type Style } from "./style.js";

export interface TerminalIo {
  /** All that a person reads goes here; standard output is left to the result. */
  readonly stderr: TerminalStream & { readonly rows?: number | undefined };
  readonly stdin: KeyInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Whether a QR code is shown. Default: where it fits. */
  readonly qr?: boolean | undefined;
  readonly plain?: boolean | undefined;
}

/** In a window with fewer rows than this what matters most must not be pushed out of it. */
const SMALL_ROWS = 32;
/** The login as a terminal shows it. Without one, links and codes stand on plain lines of their own. */
export function createTerminalUi(io: TerminalIo): LoginUi {
  const style = createStyle({ isTty: io.stderr.isTTY === true && !io.plain, env: io.env });
  const print = (...lines: string[]) => void io.stderr.write(`${lines.join("\n")}\n`);
  let userCode: string | undefined;
  return {
    canPaste: io.stdin.isTTY === true,
    show: (step) => {
      const { columns = 0, rows = 0 } = io.stderr;
      const small = rows < SMALL_ROWS;
      print(...linesOf(step, style, io.now(), small ? 0 : columns));
      if (step.type !== "device") return;
      userCode = cleanText(step.code.userCode, 64);
      const { here } = step;
      return showQr(step.code.uri, io, style).then(() => {
        if (here) print(...hereLines(here, style, small));
      });
    },
    waiting: (until, { openBrowser, paste, giveUp }) => {
      if (!style.capable) return () => {};
      const keys = io.stdin.isTTY === true && io.stdin.setRawMode !== undefined;
      const offers = [openBrowser && "Enter: browser", userCode && "c: copy the code", "q: give up"].filter(
        Boolean,
      );
      const help = keys ? offers.join(", ") : "Ctrl-C gives up";
      const waiting = () => `Waiting for you, ${clock(until - io.now())} left.`;
      // What to press must be readable in a narrow window, too: it gets a line of its own there, which may wrap.
      const roomy = fits(`  ${waiting()} ${help}`, io.stderr);
      if (!roomy) print(help);
      const stopSpinner = startSpinner(io.stderr, () => (roomy ? `${waiting()} ${help}` : waiting()));
      const stopKeys = listenForKeys(
        io.stdin,
        (key) => {
          if (key === "\r" || key === "\n") openBrowser?.();
          else if (key === "q" || key === "Q") giveUp();
          else if ((key === "c" || key === "C") && userCode) io.stderr.write(copy(userCode));
        },
        paste,
      );
      return () => {
        stopKeys();
        stopSpinner();
      };
    },
    readCallbackUrl: (signal) => readLine(io.stdin, signal),
  };
}

/** Puts a text into the clipboard of whoever sits at the terminal, also over SSH (OSC 52). */
function copy(text: string): string {
  return `\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`;
}

async function showQr(url: string, { qr, stderr }: TerminalIo, style: Style): Promise<void> {
  if (!style.capable || qr === false) return;
  const { columns = 0, rows = 0 } = stderr;
  const { qrLines } = await import("./qr-code.js");
  const lines = await qrLines(cleanText(url, MAX_URL_LENGTH), qr ? undefined : { columns, rows });
  if (lines.length > 0) stderr.write(`${lines.join("\n")}\n\n`);
}

type Here = NonNullable<Extract<LoginStep, { type: "device" }>["here"]>;

/** @param columns width for large type; 0: there is no room for it */
function linesOf(step: LoginStep, style: Style, now: number, columns: number): string[] {
  switch (step.type) {
    case "device":
      return deviceLines(step, style, now, columns);
    case "code":
      return codeLines(step, style, now);
    case "browser_opened":
      return ["Your browser was asked to open it."];
    case "browser_failed":
      return [`The browser could not be opened (${cleanText(step.reason, 120)}): open the address yourself.`];
    case "notice":
      return [cleanText(step.message)];
    case "done":
      return [style.green("You are logged in.")];
    case "failed":
      return [style.red("The login ended without a token.")];
  }
}

function deviceLines(
  step: Extract<LoginStep, { type: "device" }>,
  style: Style,
  now: number,
  columns: number,
): string[] {
  const { code } = step;
  const userCode = cleanText(code.userCode, 64);
  return [
    "",
    `Log in to ${style.bold(cleanText(step.server, 200))}: open this address on any device`,
    "",
    ...address(code.uri, style),
    "",
    `${code.verificationUriComplete ? "and check that it shows" : "and enter"} this code (valid for ${clock(step.expiresAt - now)} min):`,
    "",
    ...prominent(userCode, style, columns),
    "",
  ];
}

/** The other ways, for whom a browser that reaches this machine is nearer than another device. */
function hereLines({ url, redirectUri }: Here, style: Style, small: boolean): string[] {
  if (small) {
    return [
      "Or in a browser on this machine; paste here what it ends at:",
      cleanText(url, MAX_URL_LENGTH),
      "",
    ];
  }
  return [
    "Or in a browser on this machine:",
    "",
    ...address(url, style),
    "",
    `It comes back by itself; else paste here the address that it ended at (${redirectUri}…).`,
    "",
  ];
}

function codeLines(step: Extract<LoginStep, { type: "code" }>, style: Style, now: number): string[] {
  const lines = [
    "",
    `Log in to ${style.bold(cleanText(step.server, 200))}: open this address in your browser (${clock(step.expiresAt - now)} min)`,
    "",
    ...address(step.url, style),
    "",
  ];
  if (step.ssh) {
    lines.push(
      "Your browser is on another machine: run this there first, and leave it open during the login:",
      "",
      `ssh -N -L ${step.port}:localhost:${step.port} ${here()}`,
      "",
    );
  }
  if (step.paste) {
    const why = step.ssh ? "Or without that" : "If the browser cannot come back here";
    lines.push(
      `${why}: paste the address that it ended at (it begins with ${step.redirectUri}), and press Enter. q gives up.`,
      "",
    );
  }
  return lines;
}

/** In large type where there is room, and in a frame, to be copied; without a terminal alone on its line. */
function prominent(text: string, style: Style, columns: number): string[] {
  if (!style.capable) return [text];
  const edge = "─".repeat(text.length + 4);
  const large = largeType(text, columns).map((line) => style.bold(line));
  return [
    ...large,
    ...(large.length > 0 ? [""] : []),
    `  ┌${edge}┐`,
    `  │  ${style.bold(text)}  │`,
    `  └${edge}┘`,
  ];
}

/** Once raw and unwrapped on a line of its own, to be copied by people and programs; where it can be, also clickable. */
function address(url: string, style: Style): string[] {
  const clean = cleanText(url, MAX_URL_LENGTH);
  if (!style.capable) return [clean];
  const { host, pathname } = new URL(clean);
  return [`  ${style.link(`→ ${cleanText(host + pathname, 60)}`, clean)}`, "", clean];
}

/** This machine, as `ssh` would be told. */
function here(): string {
  let user = "user";
  try {
    user = userInfo().username;
  } catch {
    // An id without a name, as on OpenShift.
  }
  return `${user}@${hostname()}`;
}
