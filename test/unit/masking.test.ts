import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { debugLine } from "../../src/debug/lines.js";
import { isErrorCode, masked, maskedUrl } from "../../src/debug/masked.js";
import { foreignCause, foreignMessage } from "../../src/foreign-error.js";
import { openText } from "../../src/secrets.js";
import { withoutTokens } from "../../src/text.js";

const LONG = "a1".repeat(16);

describe("fields", () => {
  it("that nobody knows are masked, whatever they hold", () => {
    expect(
      masked(Object.entries({ grant_type: "refresh_token", some_new_field: "x", client_secret: "y" })),
    ).toEqual({
      grant_type: "refresh_token",
      some_new_field: "…",
      client_secret: "…",
    });
  });

  it("that are open may hold an address with a secret in it", () => {
    const resource = "https://user:password@api.example.org/a?key=secret&scope=b#part";
    expect(masked([["resource", resource]])).toEqual({ resource: "https://api.example.org/a?key=…&scope=b" });
  });

  it("an error is shown where it is a code", () => {
    expect(masked([["error", "access_denied"]])).toEqual({ error: "access_denied" });
    expect(masked([["error", "you sent abc123"]])).toEqual({ error: "…" });
  });
});

describe("addresses", () => {
  it.each([
    ["https://user:password@x.org/a/b?code=1&scope=a+b#access_token=2", "https://x.org/a/b?code=…&scope=a b"],
    ["https://x.org", "https://x.org/"],
    ["https://x.org/?__proto__=1&a=2&a=3", "https://x.org/?__proto__=…&a=…&a=…"],
    ["nothing://user:password@x", "nothing://x"],
    [`no address ${LONG}`, "no address [hidden]"],
  ])("%s is shown as %s", (address, shown) => {
    expect(maskedUrl(address)).toBe(shown);
  });
});

describe("what looks like a token", () => {
  it.each([
    [`the code ${LONG} is used`, "the code [hidden] is used"],
    ["no eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig-_1 here", "no [hidden] here"],
    ["https://user:pa/ss@x.org/ and //name@host", "https://[hidden]@x.org/ and //name@host"],
    ["https://token@x.org/a", "https://[hidden]@x.org/a"],
    ['was {"access_token": "short"} there', "was [hidden]"],
    ["was {'a': 1}", "was [hidden]"],
    ['in JSON: "{\\"a\\": 1}"', 'in JSON: "[hidden]'],
  ])("is hidden: %s", (text, shown) => {
    expect(withoutTokens(text)).toBe(shown);
  });

  it.each([
    "AADSTS700016: Application with identifier '00001111-aaaa-2222-bbbb-3333cccc4444' was not found. Trace ID: aaaabbbb-0000-cccc-1111-dddd2222eeee",
    "OIDC endpoint 'device_authorization_endpoint' not found in discovery.",
    "urn:ietf:params:oauth:grant-type:device_code",
    "https://login.example.org/realms/research/protocol/openid-connect/token",
    "Scopes {a, b} are missing",
  ])("does not take for one: %s", (text) => {
    expect(withoutTokens(text)).toBe(text);
  });
});

describe("a hostile text", () => {
  it.each([
    ["://".repeat(100_000)],
    [`://${":".repeat(200_000)}`],
    ["{ ".repeat(100_000)],
    ["eyJa.".repeat(50_000)],
    ["a1.".repeat(100_000)],
    ['"'.repeat(200_000)],
    ["%41".repeat(50_000)],
    ["&#65;".repeat(50_000)],
  ])("is searched in no more than the time that its length takes", (text) => {
    expect(withoutTokens(text).length).toBeLessThanOrEqual(text.length);
    expect(openText(text, ["a-secret"]).length).toBeLessThanOrEqual(300);
    expect(foreignCause(new Error(`${text} is an invalid header`))?.message.length).toBeLessThanOrEqual(300);
  });
});

describe("what was sent", () => {
  const secret = 'pa"ss/wo\\rd+ä=&';

  it("is hidden where it stands in a text", () => {
    expect(openText(`not ${secret}, sorry`, [secret])).toBe("not [hidden], sorry");
  });

  it.each([
    ["percent signs", encodeURIComponent(secret)],
    ["percent signs in small letters", encodeURIComponent(secret).toLowerCase()],
    ["percent signs, twice", encodeURIComponent(encodeURIComponent(secret))],
    ["a form", new URLSearchParams({ v: secret }).toString()],
    ["JSON", JSON.stringify(secret)],
    ["JSON in JSON", JSON.stringify(JSON.stringify(secret))],
    ["JSON with escaped slashes", JSON.stringify(secret).replaceAll("/", "\\/").replace("ä", "\\u00e4")],
    ["HTML by numbers", [...secret].map((one) => `&#${one.codePointAt(0)};`).join("")],
    ["HTML by numbers in hex", [...secret].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join("")],
    ["HTML by names", secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;")],
    ["hex", Buffer.from(secret).toString("hex")],
    ["base64", Buffer.from(secret).toString("base64")],
    ["base64, of more", Buffer.from(`x:${secret}`).toString("base64")],
    ["base64url, of more", Buffer.from(`xy:${secret}:z`).toString("base64url")],
  ])("in %s makes that nothing is shown", (_writing, written) => {
    expect(openText(`not ${written}, sorry`, [secret])).toBe("[hidden]");
  });

  it("is hidden as a whole where the beginning of it is another secret", () => {
    expect(openText("not secret-and-more, sorry", ["secret", "secret-and-more"])).toBe("not [hidden], sorry");
  });

  it("that is too short to be a secret hides nothing", () => {
    expect(openText("a good reason", ["a", "good"])).toBe("a good reason");
  });
});

describe("an error's code", () => {
  it.each(["invalid_grant", "access_denied", "x"])("%s is one", (code) =>
    expect(isErrorCode(code)).toBe(true),
  );
  it.each(["", "Invalid", "a b", "a1", "_a", "a_", "a".repeat(41)])("%j is none", (code) => {
    expect(isErrorCode(code)).toBe(false);
  });
});

describe("somebody else's error", () => {
  const theirs = Object.assign(
    new TypeError("fetch failed", {
      cause: Object.assign(new AggregateError([new Error("one"), "two"], "several"), {
        code: "ECONNREFUSED",
        syscall: "connect",
        errno: -111,
        data: "secret-data",
      }),
    }),
    { config: { headers: "secret-headers" } },
  );

  it("keeps what it says, its stack, and the system's codes", () => {
    const kept = foreignCause(theirs);
    expect(kept).toMatchObject({
      name: "TypeError",
      message: "fetch failed",
      cause: { message: "several", code: "ECONNREFUSED", syscall: "connect", errno: -111 },
    });
    expect(kept?.stack).toMatch(/^TypeError: fetch failed\n {4}at .*masking\.test\.ts/);
    const errors = (kept?.cause as { errors?: Error[] } | undefined)?.errors ?? [];
    expect(errors.map(({ message }) => message)).toEqual(["one", "something was thrown that is no error"]);
  });

  it("keeps no line of its message for one of its stack", () => {
    const said = new Error("first\n    at the second line, a-secret-of-it");
    expect(foreignCause(said, () => "shown")?.stack).toMatch(/^shown: shown\n {4}at (?!the second)/);
    expect(foreignCause(said, () => "shown")?.stack).not.toContain("a-secret");
  });

  it("keeps no other member of it", () => {
    expect(inspect(foreignCause(theirs), { showHidden: true, depth: 10 })).not.toContain("secret");
  });

  it.each([
    [
      "a code",
      Object.assign(new AggregateError([new Error("one")], ""), { code: "ECONNREFUSED" }),
      "ECONNREFUSED",
    ],
    ["several errors", new AggregateError(["none", new Error("one"), new Error("two")], ""), "one"],
    ["several that say nothing", new AggregateError([new Error("")], ""), "it does not say why"],
    ["nothing", new Error(""), "it does not say why"],
    [
      "a message that is no text",
      Object.assign(new Error("x"), { message: { a: 1 } }),
      "it does not say why",
    ],
  ])("that says nothing itself is told by what else it has: %s", (_what, error, said) => {
    expect(foreignMessage(error)).toBe(said);
    expect(foreignCause(error)?.message).toBe(said);
  });

  it("ends, also where it is its own cause", () => {
    const round = new Error("round");
    round.cause = round;
    expect(foreignCause(round)?.message).toBe("round");
    expect(foreignCause(undefined)).toBeUndefined();
  });

  it("does not quote a header that cannot be sent", () => {
    const said = new TypeError('Headers.set: "Bearer a\nb" is an invalid header value.');
    expect(foreignCause(said)?.message).toBe('Headers.set: "…" is an invalid header value.');
  });
});

it("a line of a pause shows whole milliseconds", () => {
  const event = { type: "retrying", what: "polling", delayMs: 734.5678, reason: "It is down." } as const;
  expect(debugLine({ type: "event", event, time: 5 }, 0)).toBe(
    "oidc-auth [+5 ms] event retrying, what=polling, delayMs=735, reason=It is down.",
  );
});
