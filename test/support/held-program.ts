import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { type Gate, type Held, startGate } from "./gate.js";
import { type Child, runNode } from "./processes.js";
import { CLI } from "./program.js";
import { tempFolder } from "./temp-folder.js";

/** The built program, held at a step of its work, so that a signal comes exactly there. */

export const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/** A line that holds nothing but an address. */
export const LINK = /^https?:\/\/\S+$/;

export interface World {
  readonly gate: Gate;
  readonly store: TokenStore;
  readonly path: string;
  readonly env: Record<string, string>;
  start(...argv: string[]): Child;
  /** Sets the clock of the stored login forward, as far as its access token goes. */
  expire(): void;
  counts(name: string): number;
}

export async function world(): Promise<World> {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(() => server.close());
  const gate = await startGate(server.host);
  const home = tempFolder();
  const env = { HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home };
  const path = join(home, "py-oidc-auth/token-store.json");
  return {
    gate,
    path,
    env,
    store: new TokenStore({ path }),
    start: (...argv) => runNode(CLI, argv, env),
    expire: () => {
      const content = JSON.parse(readFileSync(path, "utf8"));
      content[gate.host].token.expires = 1_700_000_000;
      writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
    },
    counts: (name) => server.counts[name] ?? 0,
  };
}

/** A program that logs in, whose person reads plain lines. */
export const login = (all: World, ...more: string[]) =>
  all.start(all.gate.host, "--interactive", "--no-browser", ...more);

/** Waits until an answer is held back from a program. */
export async function at(held: Held, child: Child): Promise<Child> {
  await Promise.race([
    held.arrived,
    child.ended().then((end) => expect.fail(`it ended: ${JSON.stringify(end)}`)),
  ]);
  return child;
}

/** What lies beside the store and is no lock of somebody who lives. */
export const litter = (path: string) => {
  mkdirSync(dirname(path), { recursive: true });
  return readdirSync(dirname(path)).filter((name) => name !== "token-store.json");
};
