import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/registry.js";
import { AuthError, ERROR_KINDS } from "../../src/errors.js";
import type { LoginStep } from "../../src/login-ui.js";
import { broken, denied, failed, ignored, success } from "../../src/loopback/pages.js";
import { createTerminalUi } from "../../src/terminal/terminal-ui.js";

/** Every message that stands by itself, in one table: a change of words is seen, and meant. */

describe("what to do next", () => {
  it.each(Object.entries(ERROR_KINDS))("%s says it in a sentence or two", (code, { hint, exit }) => {
    expect(hint).toMatch(/^[A-Z].*[.]$/s);
    expect(hint.length).toBeLessThanOrEqual(160);
    expect(hint).not.toMatch(/please|sorry|oops|!/i);
    expect([1, 2, 3, 4]).toContain(exit);
    expect(new AuthError(code as keyof typeof ERROR_KINDS, "It happened.").hint).toBe(hint);
  });

  it("stands in a table", () => {
    const table = Object.entries(ERROR_KINDS).map(
      ([code, { exit, retryable, hint }]) => `${code} (${exit}${retryable ? ", later" : ""}): ${hint}`,
    );
    expect(table.join("\n")).toMatchSnapshot();
  });
});

const CODE_STEP = {
  type: "code",
  server: "https://auth.example.org",
  url: "https://id.example.org/auth?state=x",
  redirectUri: "http://localhost:53100/callback",
  port: 53_100,
  ssh: false,
  paste: false,
  expiresAt: 300_000,
} as const;

const STEPS: readonly LoginStep[] = [
  {
    type: "device",
    server: "https://auth.example.org",
    expiresAt: 600_000,
    code: {
      uri: "https://id.example.org/device",
      verificationUri: "https://id.example.org/device",
      userCode: "ABCD-EFGH",
      expiresIn: 600,
      interval: 5,
    },
  },
  CODE_STEP,
  { ...CODE_STEP, paste: true },
  { ...CODE_STEP, paste: true, ssh: true },
  { type: "browser_opened" },
  { type: "browser_failed", reason: "no browser" },
  { type: "notice", message: "A notice." },
  { type: "done" },
  { type: "failed", message: "It failed." },
];

it("what a login shows, step by step, stands in a table", async () => {
  let written = "";
  const stderr = { isTTY: false, write: (text: string) => (written += text) };
  const ui = createTerminalUi({ stderr, stdin: new PassThrough(), env: {}, now: () => 0 });
  for (const step of STEPS) {
    written += `--- ${step.type}\n`;
    await ui.show(step);
  }
  // This machine's own name stands in the line for ssh.
  expect(written.replace(/(ssh -N -L \S+) \S+/, "$1 USER@HOST")).toMatchSnapshot();
});

it("what the browser ends on stands in a table", () => {
  const server = "https://auth.example.org";
  const pages = [
    success(server),
    success(server, "alice"),
    denied(server),
    failed(server, "Reason.", "What to do."),
    ignored(),
    broken(),
  ];
  expect(pages).toMatchSnapshot();
});

it.each(Object.entries(COMMANDS))("the command %s says in a few words what it does", (_name, about) => {
  expect(about).toMatch(/^[a-z].{5,60}[^.]$/);
});
