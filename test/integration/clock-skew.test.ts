import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { clientCredentials, tokenExchange } from "../../src/credentials/grants.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { unverifiedClaims } from "../../src/jwt.js";
import { isUsable } from "../../src/token.js";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";

/** A server with the py-oidc-auth routes whose clock is off from ours by some seconds; it states absolute times. */
async function offServer(seconds: number, headers: Record<string, string> = {}) {
  const world = issuerWorld({ issuer: "https://unused.example.org", clientId: "x" });
  const ours = world.options.now ?? Date.now;
  const server = createServer((_request, response) => {
    const now = ours() + seconds * 1000;
    response.setHeader("date", new Date(now).toUTCString());
    response.writeHead(200, { "content-type": "application/json", ...headers });
    response.end(
      JSON.stringify({ access_token: "opaque", token_type: "Bearer", expires: Math.floor(now / 1000) + 300 }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...world, ours, host: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("a server whose clock differs from ours", () => {
  it.each([
    ["an hour ahead", 3600, /is 360[01] s behind that of/],
    ["an hour behind", -3600, /is 360[01] s ahead of that of/],
  ])(
    "%s: its absolute times are read on our clock, and a warning says so",
    async (_name, seconds, warning) => {
      const { host, options, events, ours } = await offServer(seconds);
      const token = await authenticate({ host, credentials: tokenExchange({ subjectToken: "x" }) }, options);
      expect(Math.abs(token.expiresAt - (ours() / 1000 + 300))).toBeLessThan(5);
      expect(isUsable(token, ours())).toBe(true);
      const warnings = events.filter(({ type }) => type === "warning");
      expect(warnings).toEqual([{ type: "warning", message: expect.stringMatching(warning) }]);
    },
  );

  it("a little: nothing is said, and times are allowed for all the same", async () => {
    const { host, options, events, ours } = await offServer(20);
    const token = await authenticate({ host, credentials: tokenExchange({ subjectToken: "x" }) }, options);
    expect(Math.abs(token.expiresAt - (ours() / 1000 + 300))).toBeLessThan(5);
    expect(events.filter(({ type }) => type === "warning")).toEqual([]);
  });

  it("an answer from a cache says nothing of the time", async () => {
    const { host, options, events } = await offServer(3600, { age: "120" });
    await authenticate({ host, credentials: tokenExchange({ subjectToken: "x" }) }, options);
    expect(events.filter(({ type }) => type === "warning")).toEqual([]);
  });
});

it("proofs for an API are signed by that API's clock", async () => {
  const { issuer } = await startIssuer({ clients: [{ ...NATIVE, dpop_bound_access_tokens: true }] });
  const target = { issuer, clientId: "cli", dpop: true };
  const { login, options } = issuerWorld(target);
  await login();
  const proofs: number[] = [];
  const api = createServer((request, response) => {
    proofs.push(Number(unverifiedClaims(String(request.headers["dpop"]))?.["iat"]));
    response.setHeader("date", new Date(Date.now() + 600_000).toUTCString());
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const authFetch = createAuthFetch(target, { ...options, origins: [url] });
  await authFetch(url);
  await authFetch(url);
  expect((proofs[1] ?? 0) - (proofs[0] ?? 0)).toBeGreaterThan(595);
});

describe("a machine whose clock is wrong", () => {
  it("by ten minutes still logs in, checks id tokens, and reuses what it got", async () => {
    const { issuer } = await startIssuer();
    for (const seconds of [600, -600]) {
      const began = Date.now();
      const { login, later, events } = issuerWorld({ issuer, clientId: "cli" });
      later(seconds);
      const token = await login();
      expect(await login({ interactive: false })).toEqual(token);
      const shown = Number(/"warning","message":"[^"]* is (\d+) s /.exec(JSON.stringify(events))?.[1]);
      // Ours stands still in a test, and the server's goes on.
      expect(Math.abs(shown - 600)).toBeLessThanOrEqual(1 + (Date.now() - began) / 1000);
    }
  });

  it("signs assertions and proofs by the server's clock", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: "ES256" };
    const service = {
      client_id: "service",
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
      id_token_signed_response_alg: "ES256" as const,
      token_endpoint_auth_method: "private_key_jwt" as const,
      jwks: { keys: [jwk as never] },
    };
    const { issuer } = await startIssuer({
      clients: [service, { ...NATIVE, dpop_bound_access_tokens: true }],
    });
    const privateKeyPem = await exportPKCS8(privateKey);
    const target = {
      issuer,
      clientId: "service",
      privateKey: privateKeyPem,
      credentials: clientCredentials(),
    };
    // The library reads the real clock: a server that is far ahead stands for ours being behind.
    for (const one of [issuerWorld(target), issuerWorld({ issuer, clientId: "cli", dpop: true })]) {
      one.later(-900);
      expect((await one.login()).accessToken).toBeTruthy();
    }
  });
});
