import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type HostileServer, startHostileServer } from "./hostile-server.js";
import { HOSTILE_TOKEN, MADE_BY_SHELL } from "./hostile-text.js";
import { CLI, type Ran, runCli } from "./program.js";
import { troubles } from "./screen.js";
import { tempFolder } from "./temp-folder.js";

/** The built program, a hostile server, and a home in which a shell would find the program. */
export interface HostileHome {
  readonly server: HostileServer;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cli: (args: readonly string[], input?: string) => Promise<Ran>;
}

/** @param evil what the server writes into each field */
export async function hostileHome(evil: (field: string) => string): Promise<HostileHome> {
  const server = await startHostileServer({ evil, accessToken: HOSTILE_TOKEN });
  const home = tempFolder();
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "oidc-auth"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    ...{ HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, TMPDIR: home },
    PATH: `${bin}:${process.env["PATH"]}`,
  };
  return { server, home, env, cli: (args, input = "") => runCli(args, env, { input, cwd: home }) };
}

/** Fails where a byte is more than text, or a shell was made to run something. */
export function judge({ home }: HostileHome, { stdout, stderr }: Ran, what: string, json: boolean): void {
  expect(troubles(stderr), `${what}: standard error`).toEqual([]);
  if (json) {
    // Data may be long.
    const text = stdout.toString();
    expect(() => JSON.parse(text), what).not.toThrow();
    expect(
      troubles(text).filter((one) => / in "/.test(one)),
      what,
    ).toEqual([]);
  } else expect(troubles(stdout), `${what}: standard output`).toEqual([]);
  // A line that only looks like one of ours.
  expect(`${stdout}\n${stderr}`, what).not.toMatch(/^(oidc-auth: warning: OWNED|Token: {7}good)/m);
  expect(existsSync(join(home, MADE_BY_SHELL)), what).toBe(false);
}

/** How a login is asked for that needs nobody: the server gives a token to whoever asks. */
export const LOGIN: readonly string[] = ["--interactive", "--flow", "device"];
