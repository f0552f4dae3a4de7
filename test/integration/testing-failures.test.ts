import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import type { AuthErrorCode } from "../../src/errors.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import type { AuthenticateOptions } from "../../src/options.js";
import {
  type AuthServer,
  type Fault,
  failures,
  fakeClock,
  memoryStore,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import { me, toolWorld } from "../support/tool-world.js";

/** Errors caused for real, as the authors of tools do it. */

/** What each failure of a refresh comes to; the login that is stored survives all but one. */
const OF_A_REFRESH = {
  connectionReset: [failures.connectionReset, "network_error"],
  lostAnswer: [failures.lostAnswer, "network_error"],
  stall: [failures.stall, "login_cancelled"],
  internalError: [failures.internalError, "request_failed"],
  providerDown: [failures.providerDown, "request_failed"],
  htmlErrorPage: [failures.htmlErrorPage, "request_failed"],
  unavailable: [failures.unavailable(60), "request_failed"],
  rateLimited: [failures.rateLimited(60), "request_failed"],
  truncatedJson: [failures.truncatedJson, "invalid_response"],
  emptyBody: [failures.emptyBody, "invalid_response"],
  captivePortal: [failures.captivePortal, "invalid_response"],
  redirect: [failures.redirect, "request_failed"],
  notFound: [failures.notFound, "request_failed"],
  invalidGrant: [failures.invalidGrant, "interaction_required"],
  invalidClient: [failures.invalidClient, "invalid_client"],
  oauthError: [failures.oauthError("temporarily_unavailable", "come back"), "temporarily_unavailable"],
} as const satisfies Record<string, readonly [Fault, AuthErrorCode]>;

/** What they come to elsewhere. */
const ELSEWHERE = [
  "accessDenied",
  "expiredToken",
  "slowDown",
  "noDeviceFlow",
  "tokenRefused",
  "slow",
] as const;

describe("the ready-made failures", () => {
  it("are all tried here", () => {
    expect([...Object.keys(OF_A_REFRESH), ...ELSEWHERE].sort()).toEqual(Object.keys(failures).sort());
  });

  describe.each(["the routes", "the provider"])("at %s", (where) => {
    it.each(Object.entries(OF_A_REFRESH))("%s of a refresh is the error it should be", async (_name, row) => {
      const [fault, code] = row;
      const { server, host, target, clock, alone } = await toolWorld();
      const whom = where === "the routes" ? host : target;
      await authenticate(whom, { ...alone, ...scriptedPerson() });
      clock.advanceSeconds(290);
      server.fail("token", fault, 1, "refresh");
      const stalled = new AbortController();
      const login = authenticate(whom, { ...alone, interactive: false, signal: stalled.signal });
      if (fault === "stall") {
        await expect.poll(() => server.counts["token:refresh"]).toBe(1);
        stalled.abort();
      }
      await expect(login).rejects.toMatchObject({ code });
      expect(server.counts["token:refresh"]).toBe(1);
      const kept = await alone.store.hosts();
      expect(kept).toHaveLength(code === "interaction_required" ? 0 : 1);
    });

    it("of a device login end it, delay it, or lead to the browser", async () => {
      const { server, host, target, alone } = await toolWorld();
      const whom = where === "the routes" ? host : target;
      const login = () => authenticate(whom, { ...alone, ...scriptedPerson(), flow: "device", force: true });
      server.fail("token", failures.accessDenied);
      await expect(login()).rejects.toMatchObject({ code: "access_denied" });
      server.fail("token", failures.expiredToken);
      await expect(login()).rejects.toMatchObject({ code: "expired_token" });
      server.fail("token", failures.slowDown, 2);
      server.fail("token", failures.slow(20));
      expect(await me(server, (await login()).headers)).toMatchObject({ username: "alice" });
      server.fail("device", failures.noDeviceFlow);
      await expect(login()).rejects.toMatchObject({ code: "device_flow_unsupported" });
    });
  });

  it.each(["the routes", "the issuer"])(
    "of the protected API have the token of %s renewed",
    async (whose) => {
      const { server, host, target, alone } = await toolWorld();
      const options = { ...alone, ...scriptedPerson(), origins: [server.host] };
      const authFetch = createAuthFetch(whose === "the routes" ? host : target, options);
      server.fail("me", failures.tokenRefused);
      expect(await (await authFetch(server.meUrl)).json()).toMatchObject({ username: "alice" });
      expect(server.counts).toMatchObject({ me: 2, refreshes: 1 });
    },
  );
});

/** How a tool's author causes an error, as the page on testing tells. */
const CAUSES: Partial<Record<AuthErrorCode, (login: Login, server: AuthServer) => Promise<unknown>>> = {
  access_denied: (login) => login(scriptedPerson({ deny: true })),
  expired_token: (login) => login(scriptedPerson({ acts: false })),
  login_timeout: (login) => login({ ...scriptedPerson({ acts: false }), timeout: 30 }),
  login_cancelled: async (login) => {
    const person = scriptedPerson({ acts: false });
    const abort = new AbortController();
    const ended = login({ ...person, ...fakeClock({ manual: true }), signal: abort.signal });
    await person.ui.seen("device");
    abort.abort();
    return ended;
  },
  interaction_required: (login) => login({ interactive: false }),
  device_flow_unsupported: async () => {
    await using server = await startAuthServer({ deviceFlow: false });
    await authenticate(server.host, { store: memoryStore(), ...scriptedPerson(), flow: "device" });
  },
  network_error: async (login, server) => {
    await login(scriptedPerson());
    server.fail("token", failures.connectionReset);
    return login({ interactive: false });
  },
  request_failed: async (login, server) => {
    await login(scriptedPerson());
    server.fail("token", failures.internalError);
    return login({ interactive: false });
  },
  invalid_response: (login, server) => {
    server.fail("token", failures.captivePortal);
    return login(scriptedPerson());
  },
  temporarily_unavailable: async (login, server) => {
    await login(scriptedPerson());
    server.fail("token", failures.oauthError("temporarily_unavailable"));
    return login({ interactive: false });
  },
};

type Login = (options: AuthenticateOptions) => Promise<unknown>;

describe("the page on testing", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/testing.md"), "utf8");

  it("tells how to cause just these errors, and names all failures that it uses", () => {
    const [, table = ""] = page.split("| code ");
    const rows = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, code]) => code);
    expect(rows).toEqual(Object.keys(CAUSES));
    const named = [...page.matchAll(/failures\.(\w+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !Object.hasOwn(failures, name))).toEqual([]);
  });

  it.each(Object.entries(CAUSES))("%s comes as it says", async (code, cause) => {
    const { server, host, clock, alone } = await toolWorld();
    const login: Login = async (options) => {
      const token = await authenticate(host, { ...alone, ...options });
      clock.advanceSeconds(3600);
      return token;
    };
    await expect(cause(login, server)).rejects.toMatchObject({ code });
  });
});
