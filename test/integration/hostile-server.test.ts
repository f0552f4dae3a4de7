import { beforeEach, describe, expect, it } from "vitest";
import { AuthError, isAuthError } from "../../src/errors.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { Token } from "../../src/token.js";
import { type HostileAnswer, startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, HOSTILE_TEXTS } from "../support/hostile-text.js";
import { hostileWorld, KINDS, PATHS, shownOf, TARGETS } from "../support/hostile-world.js";
import { troubles, troublesIn } from "../support/screen.js";

/** A server that attacks through what it says. Nothing of it may reach a screen, a page or a browser as more than text. */

const everywhere = (text: string) => startHostileServer({ evil: () => text });

beforeEach(forgetAllDocuments);

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
