import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.js";
import { callbackFrom } from "../../src/flows/pasted-callback.js";
import { refusalOf } from "../../src/loopback/callback-request.js";
import type { CodeLogin } from "../../src/servers/auth-server.js";
import { onlyParameter, refusalIn, sameSecret } from "../../src/servers/callback.js";
import { IssuerServer } from "../../src/servers/issuer-server.js";
import { RoutesServer } from "../../src/servers/routes-server.js";
import { httpUrl } from "../../src/settings/address.js";
import { issuerSettings } from "../../src/settings/issuer.js";
import { routesSettings } from "../../src/settings/routes.js";
import { ALL_HOSTILE, HOSTILE_TEXTS } from "../support/hostile-text.js";

const RUNS = { numRuns: 2000, seed: 42 };
const REDIRECT = "http://localhost:53100/callback";
const HOST = "https://auth.example.org";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(...Object.values(HOSTILE_TEXTS), ""),
);
/** What a URL can bear: what is half a character becomes another one there. */
const urlText = anyText.map((text) => Buffer.from(text).toString());
const NAMES = [
  "state",
  "code",
  "error",
  "error_description",
  "iss",
  "response",
  "State",
  "state[]",
  "__proto__",
];
const pairs = (state: string) =>
  fc.array(
    fc.tuple(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: urlText }),
      fc.oneof(
        { weight: 2, arbitrary: urlText },
        { weight: 1, arbitrary: fc.constantFrom(state, `${state} `, state.slice(1)) },
      ),
    ),
    { maxLength: 6 },
  );

function callbackWith(all: readonly (readonly [string, string])[]): URL {
  const url = new URL(REDIRECT);
  for (const [name, value] of all) url.searchParams.append(name, value);
  return url;
}

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
        for (const one of [...NAMES, name]) {
          const values = callback.searchParams.getAll(one);
          expect(onlyParameter(callback, one)).toBe(values.length === 1 ? values[0] : undefined);
        }
      }),
      RUNS,
    );
  });
});

describe("refusalIn", () => {
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

describe("a pasted address", () => {
  const pasted = fc.oneof(
    anyText,
    fc
      .tuple(anyText, pairs("s"), anyText)
      .map(([before, all, after]) => `${before}${callbackWith(all).href}${after}`),
    pairs("s").map((all) => callbackWith(all).search),
    pairs("s").map((all) => `${REDIRECT}#${callbackWith(all).search.slice(1)}`),
  );

  it("is never more than parameters of our own redirect URI", () => {
    let taken = 0;
    fc.assert(
      fc.property(pasted, (line) => {
        const callback = callbackFrom(line, REDIRECT);
        if (!callback) return;
        taken++;
        expect(callback.href.split("?")[0]).toBe(REDIRECT);
        expect(callback.hash + callback.username + callback.password).toBe("");
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(500);
  });

  it("is that of the browser, with blanks, quotes and a fragment around it", () => {
    const around = fc.tuple(
      fc.constantFrom("", " ", '"', "'", "<", "\t"),
      fc.constantFrom("", " ", '"', "'", ">", "#x", "\r"),
    );
    fc.assert(
      fc.property(urlText, urlText, around, (code, state, [before, after]) => {
        const callback = callbackWith([
          ["code", code],
          ["state", state],
        ]);
        const found = callbackFrom(`${before}${callback.href}${after}`, REDIRECT);
        expect([...(found?.searchParams ?? [])]).toEqual([...callback.searchParams]);
      }),
      RUNS,
    );
  });

  it("of a megabyte ends soon", () => {
    expect(callbackFrom(`?state=${ALL_HOSTILE.repeat(1000)}`, REDIRECT)?.pathname).toBe("/callback");
    expect(callbackFrom("?".repeat(1_000_000), REDIRECT)).toBeUndefined();
    expect(callbackFrom(`${"&".repeat(500_000)}code`, REDIRECT)).toBeUndefined();
  });
});

describe("an address for a browser", () => {
  it("is http(s) in visible ASCII, without a name in front of its host", () => {
    const schemes = [
      "https://",
      "http://",
      "HTTP://",
      "javascript:",
      "file://",
      "data:",
      "-",
      "//",
      " https://",
      "ht\ntps://",
    ];
    const address = fc.oneof(
      anyText,
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.tuple(fc.constantFrom(...schemes), anyText).map((both) => both.join("")),
      fc
        .tuple(fc.constantFrom(...schemes), fc.domain(), anyText)
        .map(([scheme, host, rest]) => `${scheme}${host}/${rest}`),
      fc.tuple(anyText, fc.domain()).map(([name, host]) => `https://${name}@${host}/`),
    );
    let taken = 0;
    fc.assert(
      fc.property(address, (text) => {
        const url = httpUrl(text);
        if (!url) return;
        taken++;
        expect(url.href).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
        expect(url.href).not.toMatch(/^[^/]*\/\/[^/]*@|[<>"\s]/);
        // It is what it is, whoever reads it once more.
        expect(new URL(url.href).href).toBe(url.href);
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(300);
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
