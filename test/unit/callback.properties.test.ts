import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.js";
import { refusalOf } from "../../src/loopback/callback-request.js";
import type { CodeLogin } from "../../src/servers/auth-server.js";
import { onlyParameter, refusalIn, sameSecret } from "../../src/servers/callback.js";
import { IssuerServer } from "../../src/servers/issuer-server.js";
import { RoutesServer } from "../../src/servers/routes-server.js";
import { issuerSettings } from "../../src/settings/issuer.js";
import { routesSettings } from "../../src/settings/routes.js";
import { anyText, CALLBACK_NAMES, callbackWith, pairs, REDIRECT, urlText } from "../support/callbacks.js";

/** Which request is the answer to a login, and what is taken of it. */

const RUNS = { numRuns: 2000, seed: 42 };
const HOST = "https://auth.example.org";

/** A world of answers that are at hand. */
const contextOf = (answer: () => Response): Context => ({
  fetch: async () => answer(),
  now: Date.now,
  requestTimeoutMs: 1000,
  uptime: () => 0,
  sleep: async () => {},
  random: () => 0,
  emit: () => {},
  explain: () => {},
});

/** A login begun at each kind of server, and its state. */
const LOGINS: Readonly<Record<string, () => Promise<{ login: CodeLogin; state: string }>>> = {
  "at the routes": async () => {
    const state = `random|${REDIRECT}|verifier`;
    const location = `https://id.example.org/auth?state=${encodeURIComponent(state)}`;
    const context = contextOf(() => new Response(null, { status: 307, headers: { location } }));
    return {
      login: await new RoutesServer(routesSettings({ host: HOST })).beginCode(REDIRECT, context),
      state,
    };
  },
  "at an issuer": async () => {
    const document = {
      issuer: HOST,
      authorization_endpoint: `${HOST}/auth`,
      token_endpoint: `${HOST}/token`,
    };
    const settings = { ...issuerSettings({ issuer: HOST, clientId: "cli" }), issuer: HOST };
    const identity = { issuer: HOST, clientId: "cli", clientSecret: undefined, registered: false };
    const context = contextOf(() => Response.json(document));
    const login = await new IssuerServer(settings, identity, undefined).beginCode(REDIRECT, context);
    return { login, state: login.url.searchParams.get("state") ?? "" };
  },
};

describe.each(Object.entries(LOGINS))("a login %s", (_name, begin) => {
  it("takes for its answer what bears its state exactly, and once", async () => {
    const { login, state } = await begin();
    expect(state.length).toBeGreaterThan(20);
    let matched = 0;
    fc.assert(
      fc.property(pairs(state), fc.boolean(), (all, withState) => {
        const callback = callbackWith(withState ? [...all, ["state", state]] : all);
        const states = callback.searchParams.getAll("state");
        const expected = states.length === 1 && states[0] === state;
        expect(login.matches(callback)).toBe(expected);
        if (expected) matched++;
      }),
      RUNS,
    );
    expect(matched).toBeGreaterThan(100);
  });

  it("redeems nothing else, whoever asks", async () => {
    const { login, state } = await begin();
    await fc.assert(
      fc.asyncProperty(pairs(state), async (all) => {
        const callback = callbackWith(all);
        fc.pre(!login.matches(callback));
        await expect(login.redeem(callback)).rejects.toMatchObject({ code: "state_mismatch" });
      }),
      { ...RUNS, numRuns: 300 },
    );
  });
});

describe("onlyParameter", () => {
  it("is the one value, or none", () => {
    fc.assert(
      fc.property(pairs("s"), urlText, (all, name) => {
        const callback = callbackWith(all);
        for (const one of [...CALLBACK_NAMES, name]) {
          const values = callback.searchParams.getAll(one);
          expect(onlyParameter(callback, one)).toBe(values.length === 1 ? values[0] : undefined);
        }
      }),
      RUNS,
    );
  });
});

describe("refusalIn", () => {
  it.each(["error=", "error=access_denied&error=x"])(
    "has no words of its own for the server's: %s",
    (query) => {
      const refusal = refusalIn(new URL(`http://localhost/callback?${query}`));
      expect(refusal).toMatchObject({
        code: "request_failed",
        message: "The login page reports an unclear error.",
        serverCode: undefined,
      });
    },
  );

  it("is an error wherever one stands, also beside a code or another error", () => {
    fc.assert(
      fc.property(pairs("s"), (all) => {
        const callback = callbackWith(all);
        expect(refusalIn(callback) !== undefined).toBe(callback.searchParams.has("error"));
      }),
      RUNS,
    );
  });
});

describe("sameSecret", () => {
  it("is true for the same text alone", () => {
    const near = urlText.chain((text) =>
      fc.tuple(
        fc.constant(text),
        fc.oneof(urlText, fc.constantFrom(text, `${text}x`, text.slice(1), ` ${text}`, text.toUpperCase())),
      ),
    );
    fc.assert(
      fc.property(near, ([mine, theirs]) => {
        expect(sameSecret(mine, theirs)).toBe(mine === theirs);
        expect(sameSecret(`${mine}x`, undefined)).toBe(false);
      }),
      RUNS,
    );
  });
});

describe("a request", () => {
  it("is for the callback in one form alone", () => {
    const hosts = ["localhost:53100", "127.0.0.1:53100", "[::1]:53100"];
    /** Mostly right, so that each wrong part is tried alone, too. */
    const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: wrong });
    const request = fc.record({
      method: mostly(fc.constant("GET"), fc.constantFrom("POST", "HEAD", "get", undefined)),
      url: mostly<string | undefined>(
        fc.oneof(
          fc.constantFrom("/callback", "/callback?code=a&state=b"),
          anyText.map((text) => `/callback?${text}`),
        ),
        fc.oneof(fc.constantFrom("/callback#x", "/callback/", "//callback", "*", "", undefined), anyText),
      ),
      host: mostly(
        fc.constantFrom(...hosts, "LOCALHOST:53100").map((one) => [one]),
        fc.oneof(
          fc.constantFrom([], hosts, ["evil.example:53100"], ["localhost"], [""]),
          anyText.map((one) => [one]),
        ),
      ),
      headers: mostly<Record<string, string>>(
        fc.constantFrom({}, { "content-length": "0" }),
        fc.constantFrom({ "content-length": "1" }, { "transfer-encoding": "chunked" }, { expect: "x" }),
      ),
    });
    let accepted = 0;
    fc.assert(
      fc.property(request, ({ method, url, host, headers }) => {
        const status = refusalOf(
          { method, url, headers, headersDistinct: { host } } as never,
          "/callback",
          hosts,
        );
        const wellFormed = /^\/callback(\?[\x21\x22\x24-\x7e]*)?$/.test(url ?? "");
        const named = host.length === 1 && hosts.includes((host[0] ?? "").toLowerCase());
        const bare = ["{}", '{"content-length":"0"}'].includes(JSON.stringify(headers));
        const good = method === "GET" && wellFormed && named && bare;
        expect(status === undefined).toBe(good);
        if (status !== undefined) expect([400, 404, 405, 421]).toContain(status);
        if (good) accepted++;
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(200);
  });
});
