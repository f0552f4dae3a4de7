import { describe, expect, it, onTestFinished } from "vitest";
import { logout, revoke } from "../../src/logout.js";
import { startAuthServer } from "../../src/testing/index.js";
import { introspect, userinfo } from "../../src/userinfo.js";
import { startApi } from "../support/api.js";
import { startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { logIn } from "../support/login.js";

async function loggedIn(options: Parameters<typeof startIssuer>[0] = {}) {
  const running = await startIssuer(options);
  const target = { issuer: running.issuer, clientId: "cli", scopes: ["openid", "offline_access", "email"] };
  const person = issuerWorld(target);
  return { ...running, target, person, token: await person.login() };
}

describe("userinfo", () => {
  it("tells whose the token is", async () => {
    const { target, person } = await loggedIn();
    expect(await userinfo(target, person.options)).toEqual({ sub: "alice", email: "alice@example.org" });
  });

  it("renews a token that the provider does not take any more", async () => {
    const { target, person, provider, token, count } = await loggedIn();
    await (await provider.AccessToken.find(token.accessToken))?.destroy();
    expect(await userinfo(target, person.options)).toMatchObject({ sub: "alice" });
    expect(count("/token")).toBe(2);
  });

  it.each([
    ["in JSON, without a challenge", { "content-type": "application/json" }, '{"error":"invalid_token"}'],
    ["in words of its own", { "content-type": "application/json" }, '{"message":"Bad credentials"}'],
    ["with a page", { "content-type": "text/html" }, "<h1>No</h1>"],
  ])("renews also after a refusal %s", async (_name, headers, body) => {
    let refusals = 0;
    const { target, person, count } = await loggedIn({
      before: (request, response) => {
        if (request.url !== "/me" || refusals++ > 0) return false;
        response.writeHead(401, headers).end(body);
        return true;
      },
    });
    expect(await userinfo(target, person.options)).toMatchObject({ sub: "alice" });
    expect(count("/token")).toBe(2);
  });

  it("shows no token in an error, though the server repeats it", async () => {
    const { target, person, token } = await loggedIn({
      before: (request, response) => {
        if (request.url !== "/me") return false;
        const given = String(request.headers.authorization).replace("Bearer ", "");
        response.writeHead(400, { "content-type": "application/json" });
        response.end(
          JSON.stringify({ error: "invalid_request", error_description: `Invalid access token: ${given}` }),
        );
        return true;
      },
    });
    const error: Error = await userinfo(target, person.options).then(
      () => new Error("It worked."),
      (failed) => failed,
    );
    expect(error).toMatchObject({ code: "invalid_request", description: "Invalid access token: [hidden]" });
    expect(JSON.stringify(error) + error.stack).not.toContain(token.accessToken);
  });

  it("of another person than the id token's is refused (OpenID Connect Core §5.3.2)", async () => {
    const { target, person } = await loggedIn({
      before: (request, response) => {
        if (request.url !== "/me") return false;
        response.writeHead(200, { "content-type": "application/json" }).end('{"sub":"mallory"}');
        return true;
      },
    });
    await expect(userinfo(target, person.options)).rejects.toMatchObject({ code: "invalid_response" });
  });

  it("that is missing says so", async () => {
    const { target, person } = await loggedIn({ features: { userinfo: { enabled: false } } });
    await expect(userinfo(target, person.options)).rejects.toMatchObject({ code: "not_supported" });
  });

  it("of a server without OpenID is taken as it is", async () => {
    const api = await startApi(() => [
      200,
      { "content-type": "application/json" },
      '{"login":"octocat","id":1}',
    ]);
    const { issuer } = await startIssuer();
    const target = {
      issuer,
      clientId: "cli",
      scopes: ["openid", "offline_access"],
      idTokenSigningAlg: "ES256",
      endpoints: { authorization: `${issuer}/auth`, token: `${issuer}/token`, userinfo: `${api.url}/user` },
    };
    const { options } = issuerWorld(target);
    expect(await userinfo(target, options)).toEqual({ login: "octocat", id: 1 });
    expect(api.asked[0]?.headers.authorization).toMatch(/^Bearer /);
  });

  it("of a server with the py-oidc-auth routes is its userinfo route", async () => {
    const server = await startAuthServer({ enforceInterval: false, deviceInterval: 0.05 });
    onTestFinished(() => server.close());
    const { options, store } = issuerWorld({ issuer: server.issuer, clientId: "x" });
    await logIn(server.host, store);
    expect(await userinfo(server.host, options)).toMatchObject({ username: "alice" });
    await expect(introspect(server.host, options)).rejects.toMatchObject({ code: "not_supported" });
  });
});

describe("introspection", () => {
  it("tells what the provider knows of the token", async () => {
    const { target, person } = await loggedIn();
    expect(await introspect(target, person.options)).toMatchObject({
      active: true,
      client_id: "cli",
      sub: "alice",
      scope: "openid offline_access email",
    });
  });
});

describe("revocation", () => {
  it("ends both tokens at the provider, and forgets them", async () => {
    const { target, person, provider, token } = await loggedIn();
    expect(await revoke(target, person.options)).toBe(true);
    expect(await provider.AccessToken.find(token.accessToken)).toBeUndefined();
    expect(await provider.RefreshToken.find(token.refreshToken ?? "")).toBeUndefined();
    expect(await person.store.hosts()).toEqual([]);
    expect(await revoke(target, person.options)).toBe(false);
  });

  it("that fails keeps the login", async () => {
    const { target, person } = await loggedIn({
      before: (request, response) => {
        if (!request.url?.startsWith("/token/revocation")) return false;
        response.writeHead(502).end("<h1>Bad gateway</h1>");
        return true;
      },
    });
    await expect(revoke(target, person.options)).rejects.toMatchObject({
      code: "request_failed",
      status: 502,
      message: expect.stringContaining("revocation endpoint"),
    });
    expect(await person.store.hosts()).toHaveLength(1);
  });

  it("of a server that revokes no access tokens (RFC 7009 §2.2.1) is done with the refresh token", async () => {
    let refused = 0;
    const { target, person, provider, token } = await loggedIn({
      before: (request, response) => {
        if (!request.url?.startsWith("/token/revocation")) return false;
        if (refused++ === 0) return false;
        response.writeHead(400, { "content-type": "application/json" });
        response.end('{"error":"unsupported_token_type"}');
        return true;
      },
    });
    expect(await revoke(target, person.options)).toBe(true);
    expect(await provider.RefreshToken.find(token.refreshToken ?? "")).toBeUndefined();
    expect(await person.store.hosts()).toEqual([]);
  });

  it("is not needed to log out", async () => {
    const { target, person } = await loggedIn({ features: { revocation: { enabled: false } } });
    expect(await logout(target, person.options)).toMatchObject({ removed: true, revoked: false });
  });
});

describe("logout", () => {
  it("revokes, forgets, and tells where the session ends", async () => {
    const { target, person, token, issuer } = await loggedIn();
    const done = await logout(target, {
      ...person.options,
      postLogoutRedirectUri: "https://www.example.org/bye",
    });
    expect(done).toMatchObject({ removed: true, revoked: true });
    const url = new URL(done.endSessionUrl ?? "");
    expect(url.origin + url.pathname).toBe(`${issuer}/session/end`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "cli",
      id_token_hint: token.idToken,
      post_logout_redirect_uri: "https://www.example.org/bye",
    });
    expect(await person.store.hosts()).toEqual([]);
  });

  it("opens the browser only where it is told to", async () => {
    const { target, person } = await loggedIn();
    const opened: string[] = [];
    const openBrowser = (url: string) => void opened.push(url);
    await logout(target, { ...person.options, openBrowser });
    expect(opened).toEqual([]);
    await person.login();
    const { endSessionUrl } = await logout(target, { ...person.options, openBrowser, endSession: true });
    expect(opened).toEqual([endSessionUrl]);
  });

  it("of a server with the py-oidc-auth routes goes by its logout route", async () => {
    const server = await startAuthServer({ enforceInterval: false, deviceInterval: 0.05 });
    onTestFinished(() => server.close());
    const { options, store } = issuerWorld({ issuer: server.issuer, clientId: "x" });
    await logIn(server.host, store);
    const done = await logout(server.host, options);
    expect(done).toEqual({ removed: true, revoked: false, endSessionUrl: `${server.host}/auth/v2/logout` });
    const answer = await fetch(done.endSessionUrl ?? "", { redirect: "manual" });
    expect(answer.headers.get("location")).toContain(`${server.issuer}/session/end`);
    expect(await logout(server.host, options)).toMatchObject({ removed: false });
  });
});
