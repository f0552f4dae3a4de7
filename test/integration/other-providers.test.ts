import { OIDCMockProvider } from "@mongodb-js/oidc-mock-provider";
import { OAuth2Server } from "oauth2-mock-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { clientCredentials } from "../../src/credentials/grants.js";
import { unverifiedClaims } from "../../src/jwt.js";
import { logout } from "../../src/logout.js";
import { scriptedPerson } from "../../src/testing/index.js";
import { introspect, userinfo } from "../../src/userinfo.js";
import { issuerWorld } from "../support/issuer-world.js";

/** Two servers that share no code with the one that all other tests run against. */

async function startOAuth2Mock() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  onTestFinished(() => server.stop());
  return { server, issuer: String(server.issuer.url) };
}

/** A browser that follows redirects: these servers ask nobody. */
const browser = { openBrowser: async (url: string) => void (await (await fetch(url)).text()) };

describe("oauth2-mock-server", () => {
  it("logs in by the browser, refreshes, and tells whose the token is", async () => {
    const { issuer } = await startOAuth2Mock();
    const target = { issuer, clientId: "cli", scopes: ["openid", "offline_access"] };
    const { options, later } = issuerWorld(target);
    const alone = { ...options, ...scriptedPerson({ acts: false }), ...browser };
    const token = await authenticate(target, alone);
    expect(unverifiedClaims(token.idToken ?? "")).toMatchObject({ iss: issuer, aud: "cli", sub: "johndoe" });
    later(3590);
    const renewed = await authenticate(target, { ...alone, interactive: false });
    // Signed in the same second it is the same token, letter by letter: its end tells that it is a new one.
    expect(renewed.expiresAt).toBeGreaterThan(token.expiresAt + 3000);
    expect(await userinfo(target, alone)).toEqual({ sub: "johndoe" });
    expect(await introspect(target, alone)).toEqual({ active: true });
    const done = await logout(target, alone);
    expect(done).toMatchObject({
      removed: true,
      revoked: true,
      endSessionUrl: expect.stringContaining("/endsession"),
    });
  });

  it("gives a client its own token", async () => {
    const { issuer } = await startOAuth2Mock();
    const target = {
      issuer,
      clientId: "service",
      clientSecret: "secret-of-a-test",
      credentials: clientCredentials(),
      scopes: ["read"],
    };
    expect((await issuerWorld(target).login()).scope).toBe("read");
  });

  it("with an id token of another nonce, audience or issuer is refused", async () => {
    for (const forged of [
      { nonce: "another" },
      { aud: "another" },
      { iss: "https://evil.example" },
      { exp: 1 },
    ]) {
      const { server, issuer } = await startOAuth2Mock();
      server.service.on("beforeTokenSigning", (token: { payload: object }) =>
        Object.assign(token.payload, forged),
      );
      const target = { issuer, clientId: "cli", scopes: ["openid"] };
      const { options, store } = issuerWorld(target);
      await expect(
        authenticate(target, { ...options, ...scriptedPerson({ acts: false }), ...browser }),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^(invalid_response|issuer_mismatch)$/),
      });
      expect(await store.hosts()).toEqual([]);
    }
  });

  it("that fails at the exchange, or at the refresh, is told, and the login kept", async () => {
    const { server, issuer } = await startOAuth2Mock();
    const target = { issuer, clientId: "cli", scopes: ["openid", "offline_access"] };
    const { options, later, store } = issuerWorld(target);
    const alone = { ...options, ...scriptedPerson({ acts: false }), ...browser };
    await authenticate(target, alone);
    later(3590);
    server.service.once("beforeResponse", (answer: { statusCode: number; body: unknown }) => {
      answer.statusCode = 500;
      answer.body = {};
    });
    await expect(authenticate(target, alone)).rejects.toMatchObject({ code: "request_failed", status: 500 });
    expect(await store.hosts()).toHaveLength(1);
    server.service.once("beforeResponse", (answer: { statusCode: number; body: unknown }) => {
      answer.statusCode = 400;
      answer.body = { error: "invalid_grant" };
    });
    await expect(authenticate(target, { ...alone, interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
    });
  });
});

describe("@mongodb-js/oidc-mock-provider", () => {
  async function start() {
    const provider = await OIDCMockProvider.create({
      getTokenPayload: () => ({ expires_in: 300, payload: { sub: "someone" } }),
      hostname: "localhost",
    });
    onTestFinished(() => provider.close());
    return provider.issuer;
  }

  it.each(["code", "device"] as const)("logs in by %s", async (flow) => {
    const issuer = await start();
    const target = { issuer, clientId: "cli" };
    const { options } = issuerWorld(target);
    const token = await authenticate(target, {
      ...options,
      ...scriptedPerson({ acts: false }),
      ...browser,
      flow,
    });
    expect(unverifiedClaims(token.idToken ?? "")).toMatchObject({ iss: issuer, aud: "cli", sub: "someone" });
  });

  it("with a token for another client is refused", async () => {
    const provider = await OIDCMockProvider.create({
      getTokenPayload: () => ({
        expires_in: 300,
        payload: {},
        customIdTokenPayload: { aud: "another", sub: "x" },
      }),
    });
    onTestFinished(() => provider.close());
    const target = { issuer: provider.issuer, clientId: "cli" };
    const { options } = issuerWorld(target);
    await expect(
      authenticate(target, { ...options, ...scriptedPerson({ acts: false }), ...browser }),
    ).rejects.toMatchObject({
      code: "invalid_response",
    });
  });
});
