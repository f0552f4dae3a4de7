import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ERROR_KINDS } from "../../src/errors.js";

import { parseServerError } from "../../src/servers/error-answer.js";
import type { HttpAnswer } from "../../src/servers/http-message.js";
import { errorFromAnswer } from "../../src/servers/server-error.js";

const upstream = (body: string) => ({ detail: `Upstream OIDC error: ${body}` });
const request = {
  what: "token route",
  url: new URL("https://x.org/auth/v2/token"),
  form: { "refresh-token": "s3cr3t-value" },
};

function answer(status: number, body: unknown, more: Partial<HttpAnswer> = {}): HttpAnswer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const json = typeof body === "string" ? undefined : body;
  return {
    status,
    text,
    json,
    headers: new Headers(),
    contentType: "",
    location: null,
    retryAfter: undefined,
    ...more,
  };
}

describe("an OAuth error is found", () => {
  const oauth = { error: "access_denied", error_description: "no" };
  it.each([
    ["at the top level", oauth],
    ["in detail, as an object", { detail: oauth }],
    ["in detail, inside a text", upstream(JSON.stringify(oauth))],
    ["in detail, with words in front", { detail: `400: Upstream OIDC error: ${JSON.stringify(oauth)}` }],
  ])("%s", (_name, json) => {
    expect(parseServerError(json, "")).toEqual({ error: "access_denied", description: "no" });
  });
});

describe("other answers", () => {
  it.each<[string, unknown, string, object]>([
    ["a plain detail", { detail: "Token creation failed." }, "", { description: "Token creation failed." }],
    [
      "a list of validation failures",
      { detail: [{ loc: ["query", "redirect_uri"], msg: "Field required" }] },
      "",
      { description: "query.redirect_uri: Field required" },
    ],
    [
      "a page from the provider",
      upstream("<html>oops</html>"),
      "",
      { description: "the provider answered with a page" },
    ],
    ["a page", undefined, "<!doctype html><h1>502</h1>", {}],
    ["plain text", undefined, "Internal Server Error", { description: "Internal Server Error" }],
    ["an empty body", undefined, "", {}],
    ["an error that is no text", { error: 5 }, "", {}],
    ["null", null, "", {}],
  ])("%s", (_name, json, text, expected) => {
    expect(parseServerError(json, text)).toEqual(expected);
  });
});

describe("the error made of an answer", () => {
  it("keeps the OAuth code, and the status", () => {
    const error = errorFromAnswer(request, answer(400, upstream('{"error":"invalid_grant"}')));
    expect(error).toMatchObject({ code: "invalid_grant", status: 400, hint: ERROR_KINDS.invalid_grant.hint });
    expect(error.message).toBe("The token route (https://x.org/auth/v2/token) answered 400 (invalid_grant).");
  });

  it("never takes one of our own codes from a server", () => {
    const error = errorFromAnswer(request, answer(400, { error: "store_locked" }));
    expect(error).toMatchObject({ code: "request_failed", serverCode: "store_locked" });
  });

  it("hides what we sent, and controls", () => {
    const hostile = "\u001b[2J token s3cr3t-value\r\nis \u202ebad";
    const error = errorFromAnswer(
      request,
      answer(400, { error: "invalid_grant", error_description: hostile }),
    );
    expect(error.description).toBe("[2J token [hidden] is bad");
    expect(inspect(error) + JSON.stringify(error)).not.toContain("s3cr3t");
  });

  it.each([
    ["of the server", '{"access_token": "abc', undefined],
    ["of the provider behind it", upstream('{"access_token": "abc'), "the provider's answer cannot be read"],
    ["of the provider, with no error in it", upstream('{"message": "too busy"}'), "too busy"],
  ])("quotes no half answer %s", (_whose, body, description) => {
    expect(errorFromAnswer(request, answer(502, body)).description).toBe(description);
  });

  it("cuts a description of a megabyte", () => {
    const error = errorFromAnswer(
      request,
      answer(400, { error: "x", error_description: "y".repeat(1_000_000) }),
    );
    expect(error.description?.length).toBeLessThanOrEqual(300);
  });

  it("tells of Django's CSRF check", () => {
    const error = errorFromAnswer(request, answer(403, "<html>CSRF verification failed.</html>"));
    expect(error).toMatchObject({
      code: "request_failed",
      status: 403,
      hint: expect.stringContaining("csrf_exempt"),
    });
  });

  it.each([
    [429, undefined, true],
    [503, 2, true],
    [503, undefined, false],
    [500, 2, false],
    [400, undefined, false],
  ])("%i with Retry-After %s: surely unprocessed is %s", (status, retryAfter, unprocessed) => {
    const busy = answer(status, "", { retryAfter });
    expect(errorFromAnswer({ ...request, spends: true }, busy).unprocessed).toBe(unprocessed);
    // What spends nothing has been sent again already.
    expect(errorFromAnswer(request, busy).unprocessed).toBe(false);
  });
});

it("says nothing of JSON that is cut off: it may hold a token", () => {
  const text = '{"access_token":"secret-of-a-token';
  expect(parseServerError(undefined, text)).toEqual({});
});
