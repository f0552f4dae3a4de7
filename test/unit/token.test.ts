import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { FAR_FUTURE, isRefreshable, isUsable, Token } from "../../src/token.js";
import { tokenFromResponse } from "../../src/token-response.js";

const NOW = 1_700_000_000_000;
const SECONDS = NOW / 1000;

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.signature`;
}

describe("the end of an access token", () => {
  it.each([
    ["expires", { expires: SECONDS + 300 }],
    ["exp", { exp: SECONDS + 300 }],
    ["expires_at", { expires_at: SECONDS + 300 }],
    ["expires_in", { expires_in: 300 }],
    ["a number in a string", { expires_in: "300" }],
  ])("is read from %s", (_name, fields) => {
    expect(tokenFromResponse({ access_token: "a", ...fields }, { now: NOW }).expiresAt).toBe(SECONDS + 300);
  });

  it("comes from the token itself where the answer does not say", () => {
    expect(tokenFromResponse({ access_token: jwt({ exp: SECONDS + 77 }) }, { now: NOW }).expiresAt).toBe(
      SECONDS + 77,
    );
  });

  it("is five minutes ahead where nothing says and it can be renewed, else never: such a token holds until revoked", () => {
    const of = (body: object) =>
      tokenFromResponse({ access_token: "opaque", ...body }, { now: NOW }).expiresAt;
    expect(of({ refresh_token: "r" })).toBe(SECONDS + 300);
    expect(of({})).toBe(FAR_FUTURE);
  });

  it.each([[null], ["soon"], [-5], [0], [Number.NaN], [{}]])("is not read from %s", (expires) => {
    expect(tokenFromResponse({ access_token: "a", expires, expires_in: 60 }, { now: NOW }).expiresAt).toBe(
      SECONDS + 60,
    );
  });

  it("never lies past the year 9999", () => {
    expect(tokenFromResponse({ access_token: "a", expires_in: 1e300 }, { now: NOW }).expiresAt).toBe(
      FAR_FUTURE,
    );
  });
});

describe("the end of a refresh token", () => {
  const end = (fields: object, previous?: Token) =>
    tokenFromResponse(
      { access_token: "a", expires_in: 300, refresh_token: "r", ...fields },
      { now: NOW, previous },
    ).refreshExpiresAt;

  it.each([
    ["refresh_expires", { refresh_expires: SECONDS + 3600 }],
    ["refresh_exp", { refresh_exp: SECONDS + 3600 }],
    ["refresh_expires_at", { refresh_expires_at: SECONDS + 3600 }],
    ["refresh_expires_in (Keycloak)", { refresh_expires_in: 3600 }],
    ["refresh_token_expires_in (GitHub)", { refresh_token_expires_in: 3600 }],
  ])("is read from %s", (_name, fields) => {
    expect(end(fields)).toBe(SECONDS + 3600);
  });

  it.each([
    ["now + 180, which servers fill in", { refresh_expires: SECONDS + 180 }],
    ["now, which servers make of a 0", { refresh_expires: SECONDS }],
    ["Keycloak's 0 for an offline token", { refresh_expires_in: 0 }],
    ["nothing", {}],
    ["the far future", { refresh_expires: FAR_FUTURE }],
  ])("is unknown where the server says %s", (_name, fields) => {
    expect(end(fields)).toBeUndefined();
  });

  it("is the exp claim of a refresh token that is a JWT", () => {
    const refresh_token = jwt({ exp: SECONDS + 999 });
    expect(end({ refresh_token, refresh_expires: SECONDS + 180 })).toBe(SECONDS + 999);
  });

  it("stays known where the refresh token is kept", () => {
    const previous = new Token({
      accessToken: "old",
      expiresAt: 1,
      refreshToken: "kept",
      refreshExpiresAt: SECONDS + 5000,
      scope: "openid",
      idToken: "id",
    });
    const token = tokenFromResponse({ access_token: "a", expires_in: 300 }, { now: NOW, previous });
    expect(token).toMatchObject({
      refreshToken: "kept",
      refreshExpiresAt: SECONDS + 5000,
      scope: "openid",
      idToken: "id",
    });
  });
});

describe("an unusable token answer", () => {
  it.each([
    ["no object", null, "not an object"],
    ["a list", [], "not an object"],
    ["no access token", { refresh_token: "r" }, "access_token is missing"],
    ["an empty one", { access_token: "" }, "access_token is missing"],
    ["one that would break the header", { access_token: "a\r\nX: y" }, "no header can carry"],
    ["another token type", { access_token: "a", token_type: "mac" }, "token_type is not Bearer"],
  ])("with %s is invalid_response", (_name, body, message) => {
    expect(() => tokenFromResponse(body, { now: NOW })).toThrow(
      expect.objectContaining({ code: "invalid_response", message: expect.stringContaining(message) }),
    );
  });
});

describe("isUsable", () => {
  const token = (expiresAt: number, issuedAt?: number) =>
    new Token({ accessToken: "a", expiresAt, issuedAt });

  it.each([
    ["61 s left", token(SECONDS + 61), true],
    ["60 s left", token(SECONDS + 60), false],
    ["of 5 minutes, 31 s left", token(SECONDS + 31, SECONDS + 31 - 300), true],
    ["of 5 minutes, 30 s left", token(SECONDS + 30, SECONDS + 30 - 300), false],
    ["of 10 minutes, 60 s left", token(SECONDS + 60, SECONDS + 60 - 600), false],
    ["of an hour, 61 s left", token(SECONDS + 61, SECONDS + 61 - 3600), true],
    ["issued after its end", token(SECONDS + 61, SECONDS + 100), true],
  ])("%s", (_name, it_, usable) => {
    expect(isUsable(it_, NOW)).toBe(usable);
  });
});

it("isUsable and isRefreshable judge by the present time where none is given", () => {
  const at = (seconds: number) => new Token({ accessToken: "a", expiresAt: Date.now() / 1000 + seconds });
  expect([isUsable(at(3600)), isUsable(at(-3600))]).toEqual([true, false]);
  const until = (seconds: number) => {
    const refreshExpiresAt = Date.now() / 1000 + seconds;
    return new Token({ accessToken: "a", expiresAt: 1, refreshToken: "r", refreshExpiresAt });
  };
  expect([isRefreshable(until(3600)), isRefreshable(until(-3600))]).toEqual([true, false]);
});

describe("isRefreshable", () => {
  const token = (init: object) => new Token({ accessToken: "a", expiresAt: 1, ...init });

  it.each([
    ["no refresh token", {}, false],
    ["an unknown end", { refreshToken: "r" }, true],
    ["a future end", { refreshToken: "r", refreshExpiresAt: SECONDS + 1 }, true],
    ["a past end", { refreshToken: "r", refreshExpiresAt: SECONDS }, false],
  ])("with %s", (_name, init, refreshable) => {
    expect(isRefreshable(token(init), NOW)).toBe(refreshable);
  });
});

describe("a Token", () => {
  it("has headers ready for any client, with the scheme written Bearer", () => {
    const token = new Token({ accessToken: "abc", tokenType: "bearer", expiresAt: 1 });
    expect(token.headers).toEqual({ Authorization: "Bearer abc" });
    expect(token.tokenType).toBe("Bearer");
  });

  it("shows no secret when it is inspected", () => {
    const token = new Token({
      accessToken: "secret-a",
      refreshToken: "secret-r",
      idToken: "secret-i",
      expiresAt: 1,
    });
    expect(inspect({ nested: [token] }, { depth: 9 })).not.toContain("secret");
    expect(`${inspect(token)}`).toContain("1970-01-01");
  });

  it("cannot be changed", () => {
    const token = new Token({ accessToken: "a", expiresAt: 1 });
    expect(() => Object.assign(token, { accessToken: "b" })).toThrow(TypeError);
    expect(() => Object.assign(token.headers, { Authorization: "b" })).toThrow(TypeError);
  });
});
