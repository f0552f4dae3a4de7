import { describe, expect, it } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { Config, type ConfigInit } from "../../src/config.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import type { RoutesSettings } from "../../src/settings/routes.js";
import { fakeClock, scriptedPerson } from "../../src/testing/index.js";

it("an option of a call that means nothing has no effect: a clock and a person for tests bring more with them", () => {
  const options = { ...fakeClock(), ...scriptedPerson(), apName: "misspelt" };
  expect(() => createAuthFetch("https://auth.example.org", options)).not.toThrow();
});

describe("the host", () => {
  it.each([
    ["https://Auth.Example.ORG", "https://auth.example.org"],
    ["auth.example.org", "https://auth.example.org"],
    ["https://auth.example.org:443/", "https://auth.example.org"],
    ["https://auth.example.org:8443", "https://auth.example.org:8443"],
    ["https://x.org/api/app/", "https://x.org/api/app"],
    ["https://user:pw@x.org/app?q=1#f", "https://x.org/app"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["  https://x.org  ", "https://x.org"],
  ])("%s is read as %s", (host, expected) => {
    expect(new Config({ host }).host).toBe(expected);
  });

  it("may be a URL", () => {
    expect(new Config({ host: new URL("https://x.org/app") }).host).toBe("https://x.org/app");
  });

  it.each(["", "   ", "ftp://x.org", "file:///etc/passwd", "https://", "http://[bad", "javascript://x"])(
    "%j is refused, and the message names field and value",
    (host) => {
      expect(() => new Config({ host })).toThrow(
        expect.objectContaining({ code: "invalid_config", message: expect.stringContaining("host must be") }),
      );
    },
  );

  it("without a secret in the message", () => {
    expect(() => new Config({ host: "ftp://user:hunter2@x.org" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });

  it.each([
    "http://auth.example.org",
    "http://10.0.0.1",
    "http://localhost.example.org",
    "http://127.0.0.1.x.org",
  ])("%s would send tokens in the clear", (host) => {
    expect(() => new Config({ host })).toThrow(expect.objectContaining({ code: "insecure_host" }));
    expect(new Config({ host, allowInsecureHost: true }).host).toBe(host);
  });
});

function routesOf(config: Config): RoutesSettings {
  if (config.settings.kind !== "routes") throw new Error("It is no server with routes.");
  return config.settings;
}

describe("routes", () => {
  it("are joined to the host with exactly one slash", () => {
    const config = new Config({
      host: "https://x.org/api/app/",
      loginRoute: "login",
      tokenRoute: "/t",
      deviceRoute: "//d",
    });
    expect(routesOf(config).loginUrl.href).toBe("https://x.org/api/app/login");
    expect(routesOf(config).tokenUrl.href).toBe("https://x.org/api/app/t");
    expect(routesOf(config).deviceUrl.href).toBe("https://x.org/api/app/d");
    expect(routesOf(config).portsUrl.href).toBe("https://x.org/api/app/auth/v2/auth-ports");
  });
});

describe("a wrong setting", () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    [
      "a port of 0",
      { redirectPorts: [0] },
      "redirectPorts must hold whole numbers from 1 to 65535 (it is 0)",
    ],
    ["a port of 65536", { redirectPorts: [53100, 65_536] }, "(it is 65536)"],
    ["a port of 1.5", { redirectPorts: [1.5] }, "(it is 1.5)"],
    ["a port in words", { redirectPorts: ["53100"] }, '(it is "53100")'],
    ["no port at all", { redirectPorts: [] }, "at least one port"],
    ["an empty route", { tokenRoute: " " }, "tokenRoute must be a path"],
    [
      "a route that is a URL",
      { loginRoute: "https://evil.example/x" },
      "loginRoute must be a path below the host",
    ],
    ["a route that climbs", { deviceRoute: "/../x" }, "deviceRoute must be a path below the host"],
    ["a route with a line break", { deviceRoute: "/a\nb" }, "deviceRoute must be a path below the host"],
    ["an unknown prompt", { prompt: "maybe" }, "prompt must be one of none, login, consent, select_account"],
    ["scopes in one string", { scopes: "a b" }, "scopes must be a list"],
    ["a scope with a blank", { scopes: ["a b"] }, "scopes must be a list of scope names"],
    ["a word for a boolean", { allowInsecureHost: "yes" }, "allowInsecureHost must be true or false"],
    [
      "a misspelt name",
      { tokenroute: "/x" },
      "tokenroute is not a setting of a server with the py-oidc-auth routes",
    ],
  ];

  it.each(wrong)("%s is invalid_config", (_name, init, message) => {
    const config = { host: "https://x.org", ...init } as unknown as ConfigInit;
    expect(() => new Config(config)).toThrow(
      expect.objectContaining({ code: "invalid_config", message: expect.stringContaining(message) }),
    );
  });

  it("cannot stand beside a Config", () => {
    const config = new Config({ host: "https://x.org" });
    expect(Config.from(config)).toBe(config);
    expect(() => Config.from(config, { tokenRoute: "/x" })).toThrow(
      expect.objectContaining({ code: "invalid_config", message: expect.stringContaining("tokenRoute") }),
    );
  });
});

it("options add to what the target says", () => {
  const config = Config.from(
    { host: "https://x.org", tokenRoute: "/a" },
    { tokenRoute: undefined, prompt: "login" },
  );
  expect(routesOf(config).tokenUrl.pathname).toBe("/a");
  expect(config.settings.prompt).toBe("login");
});

it.each([
  ["a logo that is loaded from elsewhere", { logo: "https://x.org/logo.png" }],
  ["a logo that is a script", { logo: "data:text/html;base64,AAAA" }],
  ["a logo of a megabyte", { logo: `data:image/png;base64,${"A".repeat(1_000_000)}` }],
  ["a name that is empty", { productName: " " }],
  ["a misspelt name", { productname: "x" }],
])("loopbackPages: %s is invalid_config", async (_name, loopbackPages) => {
  const login = authenticate("https://auth.example.org", { loopbackPages: loopbackPages as never });
  await expect(login).rejects.toMatchObject({ code: "invalid_config" });
});
