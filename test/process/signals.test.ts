import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { completeLogin } from "../../src/testing/index.js";
import { at, LINK, litter, login, SIGNALS, type World, world } from "../support/held-program.js";
import { startIssuer } from "../support/issuer.js";
import { logIn } from "../support/login.js";
import { type Child, runNode } from "../support/processes.js";
import { CLI } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

/** Ctrl-C, and what else ends a program, at each step of the built one. Where it is kept: signals-kept.test.ts. */

/** A program that has come to a step, and waits there. */
interface Step {
  readonly name: string;
  /** Brings a program to the step. */
  reach(all: World): Promise<Child>;
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
      expect(child.errors.at(-1)).toBe(`oidc-auth: Ended by ${signal}.`);
      // No stack, and no advice: who has ended it knows what to do.
      expect(child.errors.join("\n")).not.toMatch(/^\s+at |Error:|What to do/m);
      // The other process that renews the token lives on, with its lock and its reserved space.
      const left = litter(all.path).filter((one) => !before.has(one));
      expect(left).toEqual([]);
      if (!name.includes("another process")) expect([...before]).toEqual([]);
      for (let port = 53_100; port <= 53_105; port++) expect(await isFree(port)).toBe(true);
    },
  );

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
