import { beforeEach, describe, expect, it } from "vitest";
import { AuthError, isAuthError } from "../../src/errors.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { startHostileServer } from "../support/hostile-server.js";
import { hostileWorld, KINDS, PATHS, TARGETS } from "../support/hostile-world.js";
import { troublesIn } from "../support/screen.js";

/** Addresses of a server, wherever it names one: no browser is sent to what is not http(s), and nobody is shown it. */

const harmless = () => startHostileServer({ evil: () => "x" });

beforeEach(forgetAllDocuments);

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
      const server = await harmless();
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
    const server = await harmless();
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
    const server = await harmless();
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
    const server = await harmless();
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

  it.each([
    ["another scheme", "javascript:alert(1)"],
    ["a name and password", "https://accounts.example.org@evil.example/"],
    ["ten thousand characters", TOO_LONG],
  ])(
    "as where the login route points, and no login is begun on less than that: %s",
    async (_name, location) => {
      const server = await harmless();
      server.answers.set("/auth/v2/login", { status: 302, headers: { location } });
      const { ways, opened } = hostileWorld(TARGETS["the routes"](server.host));
      await expect(ways["a login in the browser"]?.()).rejects.toMatchObject({
        code: "invalid_response",
        message: `The login route (${server.host}/auth/v2/login) redirects to an address that no browser is sent to.`,
      });
      expect(opened).toEqual([]);
    },
  );
});
