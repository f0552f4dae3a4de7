import { hostname, userInfo } from "node:os";
import type { Readable } from "node:stream";
import type { LoginStep, LoginUi } from "../login-ui.js";
import { cleanText } from "../text.js";
import { readLine } from "./read-line.js";
import { clock, startSpinner, type TerminalStream } from "./spinner.js";
import { createStyle, type Style } from "./style.js";

export interface TerminalIo {
  /** All that a person reads goes here; standard output is left to the result. */
  readonly stderr: TerminalStream;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A URL may be long, and must stay whole; it was checked when it came in. */
const URL_LENGTH = 8192;

/** The login as a terminal shows it. Without one, links and codes stand on plain lines of their own. */
export function createTerminalUi(io: TerminalIo): LoginUi {
  const isTty = io.stderr.isTTY === true && io.env["TERM"] !== "dumb";
  const style = createStyle({ isTty: io.stderr.isTTY === true, env: io.env });
  const print = (...lines: string[]) => void io.stderr.write(`${lines.join("\n")}\n`);
  return {
    canPaste: io.stdin.isTTY === true,
    show: (step) => print(...linesOf(step, style, io.now())),
    waiting: (until) =>
      isTty
        ? startSpinner(io.stderr, () => `Waiting for you (${clock(until - io.now())} left). Ctrl-C gives up.`)
        : () => {},
    readCallbackUrl: (signal) => readLine(io.stdin, signal),
  };
}

function linesOf(step: LoginStep, style: Style, now: number): string[] {
  switch (step.type) {
    case "device":
      return deviceLines(step, style, now);
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

function deviceLines(step: Extract<LoginStep, { type: "device" }>, style: Style, now: number): string[] {
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
    ...prominent(userCode, style),
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
      `${why}: paste the address that it ended at (it begins with ${step.redirectUri}), and press Enter.`,
      "",
    );
  }
  return lines;
}

/** In a frame where there is a terminal to draw on; else alone on its line. */
function prominent(text: string, style: Style): string[] {
  if (!style.capable) return [text];
  const edge = "─".repeat(text.length + 4);
  return [`  ┌${edge}┐`, `  │  ${style.bold(text)}  │`, `  └${edge}┘`];
}

/** Once raw and unwrapped on a line of its own, to be copied by people and programs; where it can be, clickable. */
function address(url: string, style: Style): string[] {
  const clean = cleanText(url, URL_LENGTH);
  return [style.link(clean, clean)];
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
