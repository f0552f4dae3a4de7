import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, completeLogin, startAuthServer } from "../../src/testing/index.js";
import { type Gate, type Held, startGate } from "../support/gate.js";
import { startIssuer } from "../support/issuer.js";
import { logIn } from "../support/login.js";
import { type Child, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** Ctrl-C, and what else ends a program, at each step of the built one. */

const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");
const LINK = /^https?:\/\/\S+$/;
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

interface World {
  readonly gate: Gate;
  readonly store: TokenStore;
  readonly path: string;
  readonly env: Record<string, string>;
  start(...argv: string[]): Child;
  /** Sets the clock of the stored login forward, as far as its access token goes. */
  expire(): void;
  counts(name: string): number;
}

async function world(): Promise<World> {
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

/** A program that has come to a step, and waits there. */
interface Step {
  readonly name: string;
  /** Brings a program to the step. */
  reach(all: World): Promise<Child>;
}

const login = (all: World, ...more: string[]) =>
  all.start(all.gate.host, "--interactive", "--no-browser", ...more);

/** Waits until an answer is held back from a program. */
async function at(held: Held, child: Child): Promise<Child> {
  await Promise.race([
    held.arrived,
    child.ended().then((end) => expect.fail(`it ended: ${JSON.stringify(end)}`)),
  ]);
  return child;
}

const STEPS: readonly Step[] = [
  {
    name: "while a device code is asked for",
    reach: (all) => at(all.gate.hold(/^POST \/auth\/v2\/device/), login(all)),
  },
  {
    name: "while the code is shown",
    reach: async (all) => {
      const child = login(all);
      await child.error((line) => LINK.test(line));
      return child;
    },
  },
  {
    name: "while it is asked whether the code was entered",
    reach: (all) => at(all.gate.hold(/device-code=/), login(all)),
  },
  {
    name: "while the login page is asked for",
    reach: (all) => at(all.gate.hold(/^GET \/auth\/v2\/login/), login(all, "--flow", "code")),
  },
  {
    name: "while the browser is waited for",
    reach: async (all) => {
      const child = login(all, "--flow", "code");
      await child.error((line) => LINK.test(line));
      return child;
    },
  },
  {
    name: "while the browser's code is exchanged",
    reach: async (all) => {
      const held = all.gate.hold(/[ &]code=/);
      const child = login(all, "--flow", "code");
      // The browser is kept waiting, and let go when the program ends.
      void completeLogin(await child.error((line) => LINK.test(line))).catch(() => {});
      return at(held, child);
    },
  },
  {
    name: "while doctor asks the server",
    reach: (all) => at(all.gate.hold(/^POST \/auth\/v2\/device/), all.start("doctor", all.gate.host)),
  },
  {
    name: "while userinfo is asked for",
    reach: async (all) => {
      await logIn(all.gate.host, all.store);
      return at(all.gate.hold(/userinfo/), all.start("userinfo", all.gate.host));
    },
  },
  {
    name: "while another process renews the token, and is waited for",
    reach: async (all) => {
      await logIn(all.gate.host, all.store);
      all.expire();
      const held = all.gate.hold(/refresh-token=/);
      await at(held, all.start("token", all.gate.host));
      onTestFinished(held.release);
      const child = all.start("token", all.gate.host, "--explain");
      await child.error((line) => line.includes("it is renewed"));
      return child;
    },
  },
];

/** What lies beside the store and is no lock of somebody who lives. */
const litter = (path: string) => {
  mkdirSync(dirname(path), { recursive: true });
  return readdirSync(dirname(path)).filter((name) => name !== "token-store.json");
};

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

describe.each(SIGNALS)("%s", (signal, status) => {
  it.each(STEPS)(
    "$name ends the program with its status, and leaves nothing behind",
    async ({ name, reach }) => {
      const all = await world();
      const child = await reach(all);
      const before = new Set(litter(all.path));
      child.process.kill(signal);
      expect(await child.ended()).toEqual({ code: status, signal: null });
      expect(child.lines).toEqual([]);
      expect(child.errors.join("\n")).not.toMatch(/^\s+at |Error:/m);
      // The other process that renews the token lives on, with its lock and its reserved space.
      const left = litter(all.path).filter((one) => !before.has(one));
      expect(left).toEqual([]);
      if (!name.includes("another process")) expect([...before]).toEqual([]);
      for (let port = 53_100; port <= 53_105; port++) expect(await isFree(port)).toBe(true);
    },
  );

  it("while a token is renewed hears the server out, stores what it says, and then ends", async () => {
    const all = await world();
    const old = await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("exec", all.gate.host, "--", "echo", "must not run"));
    child.process.kill(signal);
    expect(await child.error((line) => line.includes("is stored first"))).toContain(all.gate.host);
    held.release();
    expect(await child.ended()).toEqual({ code: status, signal: null });
    expect(child.lines).toEqual([]);
    const stored = await new TokenStore({ path: all.path }).get(all.gate.host);
    expect(stored?.refreshToken).toMatch(/\S/);
    expect(stored?.refreshToken).not.toBe(old.refreshToken);
    expect(litter(all.path)).toEqual([]);
    // The new refresh token is the good one.
    all.expire();
    const next = all.start("token", all.gate.host);
    expect(await next.ended()).toMatchObject({ code: 0 });
    expect(all.counts("refreshes")).toBe(2);
  });

  it("twice ends at once; the lock is taken over by whoever comes next", async () => {
    const all = await world();
    await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("token", all.gate.host));
    child.process.kill(signal);
    await child.error((line) => line.includes("once more ends at once"));
    child.process.kill(signal);
    expect(await child.ended()).toEqual({ code: status, signal: null });
    const next = all.start(all.gate.host, "--force", "--interactive", "--no-browser", "--flow", "device");
    await approveDevice(await next.error((line) => LINK.test(line)));
    expect(await next.ended()).toMatchObject({ code: 0 });
    const renewed = all.start("refresh", all.gate.host);
    expect(await renewed.ended()).toMatchObject({ code: 0 });
    expect(litter(all.path)).toEqual([]);
  });

  it.each(["the discovery document", "the provider's keys or endpoints"])(
    "while a provider does not answer for %s",
    async (what) => {
      let asked = () => {};
      const arrived = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const path = what === "the discovery document" ? "/.well-known/" : "/device/auth";
      const { issuer } = await startIssuer({
        before: (request) => {
          if (!request.url?.startsWith(path)) return false;
          asked();
          return true;
        },
      });
      const home = tempFolder();
      const argv = [
        "login",
        issuer,
        "--client-id",
        "cli",
        "--interactive",
        "--no-browser",
        "--flow",
        "device",
      ];
      const child = runNode(CLI, argv, { HOME: home, XDG_CACHE_HOME: home });
      await arrived;
      child.process.kill(signal);
      expect(await child.ended()).toEqual({ code: status, signal: null });
      expect(
        litter(join(home, "py-oidc-auth/token-store.json")).filter(
          (name) => !/^oidc-discovery-\w+\.json$/.test(name),
        ),
      ).toEqual([]);
    },
  );
});

describe("a reader that has gone", () => {
  it("of what a person reads does not end a renewal in the middle", async () => {
    const all = await world();
    const old = await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("token", all.gate.host, "--explain"));
    child.process.stderr?.destroy();
    // It has something to say to whom nobody reads.
    child.process.kill("SIGINT");
    held.release();
    expect(await child.ended()).toEqual({ code: 130, signal: null });
    const stored = await new TokenStore({ path: all.path }).get(all.gate.host);
    expect(stored?.refreshToken).not.toBe(old.refreshToken);
    expect(litter(all.path)).toEqual([]);
  });
});
