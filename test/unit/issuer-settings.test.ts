import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Config, type ConfigInit } from "../../src/config.js";
import { clientCredentials, jwtBearer, tokenExchange } from "../../src/credentials/grants.js";
import { fromFile, fromGitHubActions } from "../../src/credentials/workload.js";
import { redirectUriOn } from "../../src/settings/redirect-uri.js";
import { serverSlot } from "../../src/store/server-slot.js";

const ISSUER = "https://login.example.org/realms/x";

describe("a wrong setting of an issuer", () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ["an issuer that is no URL", { issuer: "not a url" }, "issuer must be an absolute http(s) URL"],
    ["an issuer with a query", { issuer: `${ISSUER}?a=b` }, "issuer must have no query"],
    ["an issuer with credentials", { issuer: "https://a:b@x.org" }, "issuer must not hold credentials"],
    [
      "an address with a password and no scheme",
      { issuer: "us:the-secret@x.org:99999999" },
      "issuer must be an absolute",
    ],
    ["a resource with a fragment", { resource: "https://x.org/#a" }, "resource must have no fragment"],
    ["a host beside an issuer", { host: "https://x.org" }, "host and issuer cannot be given together"],
    ["a route", { loginRoute: "/x" }, "loginRoute is not a setting of an issuer"],
    ["a misspelt name", { clientid: "x" }, "clientid is not a setting of an issuer"],
    ["an empty client id", { clientId: " " }, "clientId must be a text that is not empty"],
    ["a secret of nobody", { clientId: undefined, clientSecret: "the-secret" }, "clientId is missing"],
    ["a method without its secret", { clientAuthMethod: "client_secret_post" }, "clientSecret is missing"],
    ["a method without its key", { clientAuthMethod: "private_key_jwt" }, "privateKey is missing"],
    ["an unknown method", { clientAuthMethod: "magic" }, "clientAuthMethod must be one of none,"],
    [
      "a key of another form",
      { privateKey: "-----BEGIN RSA PRIVATE KEY-----" },
      "privateKey must be a PKCS #8 key",
    ],
    [
      "a redirect to elsewhere",
      { redirectUri: "http://example.org/cb" },
      "redirectUri must be an http URL of this machine",
    ],
    ["a redirect over https", { redirectUri: "https://localhost/cb" }, "redirectUri must be an http URL"],
    ["a state of one's own", { parameters: { state: "x" } }, "parameters.state is set by the login itself"],
    ["a parameter that is no text", { parameters: { a: 1 } }, "parameters.a must be a text"],
    ["a max age of minus one", { maxAge: -1 }, "maxAge must be a whole number of seconds"],
    ["acr values in one text", { acrValues: "a b" }, "acrValues must be a list"],
    ["an endpoint that is no URL", { endpoints: { token: "::" } }, "endpoints.token must be an absolute"],
    [
      "an unknown endpoint",
      { endpoints: { token: "https://x.org/t", tokens: "x" } },
      "tokens is not a setting of endpoints",
    ],
    ["credentials that are none", { credentials: "secret-text" }, "credentials must be made by"],
    ["an unknown response mode", { responseMode: "fragment" }, "responseMode must be one of query, jwt"],
  ];

  it.each(wrong)("%s is invalid_config, and shows no secret", (_name, more, message) => {
    const init = { issuer: ISSUER, clientId: "cli", ...more } as unknown as ConfigInit;
    const error = (() => {
      try {
        return new Config(init);
      } catch (failed) {
        return failed as Error;
      }
    })();
    expect(error).toMatchObject({ code: "invalid_config", message: expect.stringContaining(message) });
    expect(String((error as Error).message)).not.toMatch(/the-secret|secret-text/);
  });

  it.each([
    { issuer: "http://login.example.org" },
    { issuer: ISSUER, endpoints: { token: "http://x.org/token" } },
    { resource: "http://api.example.org" },
  ])("plain http to another machine is insecure_host: %j", (init) => {
    expect(() => new Config(init as ConfigInit)).toThrow(expect.objectContaining({ code: "insecure_host" }));
    expect(new Config({ ...init, allowInsecureHost: true } as ConfigInit).host).toBeTruthy();
  });

  it.each([
    ["a token exchange without a token", () => tokenExchange({} as never), "subjectToken"],
    ["an assertion that is empty", () => jwtBearer({ assertion: "" }), "assertion"],
    ["a file without a name", () => fromFile(""), "path"],
    ["an unknown use", () => fromGitHubActions({ use: "x" as never }), "use must be one of"],
    [
      "parameters that are no texts",
      () => clientCredentials({ parameters: { a: 1 } as never }),
      "parameters.a",
    ],
  ])("%s is invalid_config", (_name, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "invalid_config", message: expect.stringContaining(message) }),
    );
  });
});

it("a Config shows no secret, neither printed nor serialised", () => {
  const config = new Config({
    issuer: ISSUER,
    clientId: "cli",
    clientSecret: "the-secret",
    initialAccessToken: "the-token",
  });
  expect(inspect(config, { depth: 10 }) + JSON.stringify(config)).not.toMatch(/the-secret|the-token/);
  expect(config.settings).toMatchObject({ clientSecret: "the-secret" });
});

describe("the place of a login in a store", () => {
  const key = (init: ConfigInit) => new Config(init).storeKey;

  it("tells clients, APIs, scopes, ways and keys apart, and not what makes no other login", () => {
    const base = { issuer: ISSUER, clientId: "cli" };
    const keys = [
      key(base),
      key({ ...base, clientId: "other" }),
      key({ ...base, scopes: ["b", "a"] }),
      key({ ...base, resource: "https://api.example.org" }),
      key({ ...base, audience: "api" }),
      key({ ...base, dpop: true }),
      key({ ...base, credentials: clientCredentials() }),
      key({ resource: "https://api.example.org/a" }),
      key({ resource: "https://api.example.org/a?tenant=1" }),
      key({ host: ISSUER }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ ...base, scopes: ["a", "b"] })).toBe(keys[2]);
    expect(key({ ...base, prompt: "login", loginHint: "x" })).toBe(keys[0]);
    expect(key({ ...base, issuer: `${ISSUER}/` })).toBe(keys[0]);
  });

  it("is found by the key that hosts() lists, and is never that of a server with routes", () => {
    const config = new Config({ issuer: ISSUER, clientId: "cli", scopes: ["a b".split(" ")[0] ?? ""] });
    expect(serverSlot(config.storeKey)).toEqual(serverSlot(config));
    expect(serverSlot(config, "second").ownKey).toBe(`${config.storeKey}#second`);
    expect(serverSlot(config).sharedKey).not.toBe(serverSlot(ISSUER).sharedKey);
  });
});

it.each([
  ["http://localhost", "http://localhost:8080"],
  ["http://localhost/", "http://localhost:8080/"],
  ["http://127.0.0.1/callback", "http://127.0.0.1:8080/callback"],
  ["http://127.0.0.1:1/a:2/b", "http://127.0.0.1:8080/a:2/b"],
  ["http://[::1]/x", "http://[::1]:8080/x"],
])("the redirect URI %s on port 8080 is %s", (uri, expected) => {
  expect(redirectUriOn(uri, 8080)).toBe(expected);
});
