import { beforeEach, describe, expect, it } from "vitest";
import { AuthError, isAuthError } from "../../src/errors.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { Token } from "../../src/token.js";
import { type HostileAnswer, startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, HOSTILE_TEXTS, nearlyAMegabyte } from "../support/hostile-text.js";
import { hostileWorld } from "../support/hostile-world.js";
import { troubles, troublesIn } from "../support/screen.js";

/** A server that attacks through what it says. Nothing of it may reach a screen, a page or a browser as more than text. */

/** What is asked of a server, by where it listens. */
const TARGETS = {
  "the routes": (host: string) => ({ host }),
  // Without `openid`, as a nonce is nothing that this server knows.
  "an issuer": (host: string) => ({ issuer: host, clientId: "cli", scopes: ["read"] }),
};
const KINDS = Object.keys(TARGETS) as (keyof typeof TARGETS)[];

const everywhere = (text: string) => startHostileServer({ evil: () => text });

beforeEach(forgetAllDocuments);

/** Of what comes back only errors are for people: claims and tokens are data for programs. */
const shownOf = (result: unknown) => (result instanceof Error ? result : undefined);

/** Where each way's own request goes, with the routes and at an issuer. */
const PATHS: Readonly<Record<string, readonly [string, string]>> = {
  "a login by device code": ["/auth/v2/device", "/device"],
  "a login in the browser": ["/auth/v2/token", "/token"],
  "a refresh": ["/auth/v2/token", "/token"],
  userinfo: ["/auth/v2/userinfo", "/userinfo"],
  introspection: ["/auth/v2/token", "/introspect"],
  "a logout": ["/auth/v2/token", "/revoke"],
};

describe.each(KINDS)("what %s say where all goes well", (kind) => {
  it.each(Object.entries(HOSTILE_TEXTS))("in every field: %s", async (_name, text) => {
    const server = await everywhere(text);
    const { ways, told, opened } = hostileWorld(TARGETS[kind](server.host));
    for (const [name, way] of Object.entries(ways)) {
      const result = await way().catch((error: unknown) => error);
      if (kind === "the routes" && name === "introspection") {
        expect(isAuthError(result, "not_supported")).toBe(true);
      } else {
        expect(result, name).not.toBeInstanceOf(Error);
      }
      if (result instanceof Token) {
        expect(troubles(result.scope)).toEqual([]);
        expect(result.accessToken).toBe("the-token");
      }
      if (name === "a logout") expect(troublesIn(result)).toEqual([]);
    }
    expect(troublesIn(told)).toEqual([]);
    expect(told.length).toBeGreaterThan(10);
    expect(opened.length).toBeGreaterThan(0);
    for (const url of opened) expect(url).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
    expect(opened.join()).not.toMatch(/[<>"\s]/);
  });

  it("is text on the page that the browser ends on", async () => {
    const server = await everywhere(ALL_HOSTILE);
    const { ways, told } = hostileWorld(TARGETS[kind](server.host));
    await ways["a login in the browser"]?.();
    const page = told.map((one) => (one as { page?: string }).page).find(Boolean) ?? "";
    expect(page).toContain("You are logged in");
    expect(page).not.toMatch(/<(script|img|a|b|iframe)\b|onerror=alert/i);
  });
});

/** Header values hold no controls but those of Latin-1, whatever a server would like. */
const headerText = (text: string) => text.replace(/[^\x20-\x7e\x80-\xff]/g, "");

const REFUSALS: Readonly<Record<string, (text: string) => HostileAnswer>> = {
  "an OAuth error": (text) => ({
    status: 400,
    body: { error: text, error_description: text, error_uri: text },
  }),
  "a known error with a description": (text) => ({
    status: 400,
    body: { error: "invalid_grant", error_description: text },
  }),
  "a detail": (text) => ({ status: 400, body: { detail: text } }),
  "an error of the provider behind": (text) => ({
    status: 400,
    body: { detail: `Upstream OIDC error: ${JSON.stringify({ error: text, error_description: text })}` },
  }),
  "failures of a form": (text) => ({
    status: 422,
    body: {
      detail: [
        { loc: [text, 1, { [text]: text }, [[text]]], msg: text },
        text,
        5,
        null,
        [text],
        { msg: [text] },
      ],
    },
  }),
  "a message": (text) => ({ status: 500, body: { message: text } }),
  "plain text": (text) => ({ status: 503, headers: { "retry-after": "1e9" }, body: text }),
  "a challenge": (text) => ({
    status: 401,
    headers: {
      "www-authenticate": `Bearer realm="${headerText(text).replace(/["\\]/g, "\\$&")}", error="x${headerText(text).replace(/["\\]/g, "\\$&")}", error_description="${headerText(text).replace(/["\\]/g, "\\$&")}"`,
    },
    body: { detail: text },
  }),
  "a redirect": (text) => ({ status: 302, headers: { location: `file:///${headerText(text)}` }, body: text }),
  "a redirect to a script": () => ({ status: 307, headers: { location: "javascript:alert(1)" } }),
  "another time": (text) => ({
    status: 400,
    headers: {
      date: "Sat, 13 Sep 275760 00:00:00 GMT",
      "retry-after": "9".repeat(300),
      "x-a": headerText(text),
    },
    body: { error: text },
  }),
  "what is not JSON": (text) => ({ body: text }),
  "what is no object": (text) => ({ body: [text] }),
  "what is of other types": (text) => ({
    body: {
      error: [text],
      access_token: { [text]: text },
      user_code: 5,
      verification_uri: [text],
      device_code: null,
    },
  }),
  "what has no text": (text) => ({
    status: 400,
    body: {
      detail: [{ msg: { toString: 1, valueOf: 2 }, loc: [{ toString: text }] }],
      error: { toString: 1 },
    },
  }),
  "a status line": (text) => ({ raw: `HTTP/1.1 418 ${headerText(text)}\r\ncontent-length: 0\r\n\r\n` }),
  "a status line with controls": (text) => ({ raw: `HTTP/1.1 418 ${text}\r\nx: ${text}\r\n\r\n${text}` }),
  "no HTTP at all": (text) => ({ raw: text }),
  "a name and no more": () => ({ status: 404, body: "" }),
};

describe.each(KINDS)("what %s say where they refuse", (kind) => {
  it.each(Object.entries(REFUSALS))("is told as text: %s", async (_name, refusal) => {
    const server = await everywhere(ALL_HOSTILE);
    for (const [name, paths] of Object.entries(PATHS)) {
      const { ways, told, opened } = hostileWorld(TARGETS[kind](server.host));
      server.answers.clear();
      server.answers.set(paths[KINDS.indexOf(kind)] ?? "", refusal(ALL_HOSTILE));
      const result = await ways[name]?.().catch((error: unknown) => error);
      // What a revocation answers with 200 is never looked at.
      if (result instanceof Error) expect(result, name).toBeInstanceOf(AuthError);
      expect(troublesIn(shownOf(result), told), name).toEqual([]);
      for (const url of opened) expect(url).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
    }
  });

  it.each(Object.entries(REFUSALS))("at the very beginning: %s", async (_name, refusal) => {
    const server = await everywhere(ALL_HOSTILE);
    const first = ["/auth/v2/login", "/.well-known/openid-configuration"][KINDS.indexOf(kind)] ?? "";
    server.answers.set(first, refusal(ALL_HOSTILE));
    const opened: string[] = [];
    const abort = new AbortController();
    // A login route that says nothing of use is for the browser itself to ask: there the attempt ends.
    const openBrowser = (url: string) => {
      opened.push(url);
      abort.abort();
    };
    const { ways, told } = hostileWorld(TARGETS[kind](server.host), { openBrowser, signal: abort.signal });
    const result = await ways["a login in the browser"]?.().catch((error: unknown) => error);
    expect(result).toBeInstanceOf(AuthError);
    expect(troublesIn(result, told)).toEqual([]);
    for (const url of opened) expect(url).toMatch(new RegExp(`^${server.host}/`));
  });
});

describe("addresses that a browser is not sent to", () => {
  const TOO_LONG = `https://evil.example/${"x".repeat(10_000)}`;
  const ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "ssh://-oProxyCommand=touch",
    "-x",
    "--help",
    "//evil.example",
    "",
    "http://",
    "https://accounts.example.org@evil.example/",
    TOO_LONG,
  ];
  const each = it.each(ADDRESSES.map((one) => [one === TOO_LONG ? "ten thousand characters" : one, one]));

  each("as the place of a device code: %s", async (_name, address) => {
    for (const kind of KINDS) {
      const server = await everywhere("x");
      for (const field of ["verification_uri", "verification_url", "verification_uri_complete"]) {
        const body = {
          device_code: "d",
          user_code: "u",
          verification_uri: "https://good.example/",
          [field]: address,
        };
        if (field === "verification_url") Reflect.deleteProperty(body, "verification_uri");
        server.answers.set(PATHS["a login by device code"]?.[KINDS.indexOf(kind)] ?? "", { body });
        const code = await new DeviceFlow(TARGETS[kind](server.host))
          .getDeviceCode()
          .catch((error: unknown) => error);
        if (field === "verification_uri_complete") {
          // The plain address will do; the complete one is left out.
          expect(code).toMatchObject({ uri: "https://good.example/" });
          expect(code).not.toHaveProperty("verificationUriComplete");
        } else expect(isAuthError(code, "invalid_response")).toBe(true);
      }
    }
  });

  each("as the provider's login page: %s", async (_name, address) => {
    const server = await everywhere("x");
    const document = {
      issuer: server.host,
      token_endpoint: `${server.host}/token`,
      authorization_endpoint: address,
    };
    server.answers.set("/.well-known/openid-configuration", { body: document });
    const { ways, opened, told } = hostileWorld(TARGETS["an issuer"](server.host));
    const result = await ways["a login in the browser"]?.().catch((error: unknown) => error);
    expect(result).toBeInstanceOf(AuthError);
    expect(opened).toEqual([]);
    expect(troublesIn(result, told)).toEqual([]);
  });

  each("as the place where a session ends: %s", async (_name, address) => {
    const server = await everywhere("x");
    const document = {
      issuer: server.host,
      token_endpoint: `${server.host}/token`,
      end_session_endpoint: address,
    };
    server.answers.set("/.well-known/openid-configuration", { body: document });
    const { ways, opened } = hostileWorld(TARGETS["an issuer"](server.host));
    const result = await ways["a logout"]?.().catch((error: unknown) => error);
    if (!(result instanceof AuthError)) expect(result).not.toHaveProperty("endSessionUrl");
    expect(opened).toEqual([]);
  });

  each("as where the login route points: %s", async (_name, address) => {
    const server = await everywhere("x");
    const location = address.replace(/\n/g, "");
    server.answers.set("/auth/v2/login", { status: 302, headers: { location: `${location}?state=a|b|c` } });
    const abort = new AbortController();
    const opened: string[] = [];
    const openBrowser = (url: string) => {
      opened.push(url);
      abort.abort();
    };
    const { ways } = hostileWorld(TARGETS["the routes"](server.host), { openBrowser, signal: abort.signal });
    const result = await ways["a login in the browser"]?.().catch((error: unknown) => error);
    expect(result).toBeInstanceOf(AuthError);
    for (const url of opened) expect(url).toMatch(new RegExp(`^${server.host}/auth/v2/login\\?`));
  });
});

describe("answers without measure", () => {
  const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const nested = (name: string) => `${`{"${name}":`.repeat(90_000)}1${"}".repeat(90_000)}`;
  const MEASURELESS: Readonly<Record<string, string>> = {
    "a megabyte of a code": JSON.stringify({
      device_code: "d",
      user_code: nearlyAMegabyte(ALL_HOSTILE),
      verification_uri: "https://good.example/",
    }),
    "a megabyte of an error": JSON.stringify({ error: nearlyAMegabyte("\u001b[2J") }),
    "a megabyte of a description": JSON.stringify({
      error: "invalid_grant",
      error_description: nearlyAMegabyte(ALL_HOSTILE),
    }),
    "a megabyte of an unknown error's detail": JSON.stringify({ detail: nearlyAMegabyte("x ") }),
    "a hundred thousand failures": JSON.stringify({ detail: Array(60_000).fill({ msg: "x" }) }),
    "a hundred thousand scopes": JSON.stringify({
      access_token: "t",
      token_type: "bearer",
      scope: Array.from({ length: 100_000 }, (_, index) => `s${index}`).join(" "),
    }),
    "a hundred thousand members": JSON.stringify(
      Object.fromEntries(Array.from({ length: 80_000 }, (_, index) => [`m${index}`, 1])),
    ),
    "a hundred thousand levels of lists": DEEP,
    "levels of lists in what is read": `{"error":${DEEP},"detail":${DEEP},"access_token":"t","scope":"s","user_code":"u"}`,
    "levels of details": nested("detail"),
    "levels of messages": nested("message"),
    "more than a megabyte": "x".repeat(1_100_000),
  };

  it.each(Object.entries(MEASURELESS))("%s: little is said, and soon", async (_name, body) => {
    for (const kind of KINDS) {
      for (const status of [200, 400, 500]) {
        for (const [name, paths] of Object.entries(PATHS)) {
          const server = await everywhere("x");
          server.answers.set(paths[KINDS.indexOf(kind)] ?? "", {
            status,
            headers: { "content-type": "application/json" },
            body,
          });
          const { ways, told } = hostileWorld(TARGETS[kind](server.host));
          const result = await ways[name]?.().catch((error: unknown) => error);
          if (result instanceof Error) expect(result, name).toBeInstanceOf(AuthError);
          expect(troublesIn(shownOf(result), told), name).toEqual([]);
          expect(JSON.stringify(told).length).toBeLessThan(60_000);
          // What comes back can be written down.
          expect(() => JSON.stringify(result)).not.toThrow();
        }
      }
    }
  });
});
