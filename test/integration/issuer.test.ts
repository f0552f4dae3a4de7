import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unverifiedClaims } from "../../src/jwt.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";

describe("a person at an OpenID provider", () => {
  it("logs in by the browser once; the token is reused, and renewed without them", async () => {
    const { issuer, count } = await startIssuer();
    const { login, later, events, ui } = issuerWorld({ issuer, clientId: "cli" });
    const first = await login();
    expect(first.scope).toBe("openid offline_access");
    expect(unverifiedClaims(first.idToken ?? "")).toMatchObject({ iss: issuer, aud: "cli", sub: "alice" });
    const step = await ui.seen("code");
    const asked = new URL(step.url).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: "cli",
      response_type: "code",
      scope: "openid offline_access",
      code_challenge_method: "S256",
      prompt: "consent",
      redirect_uri: step.redirectUri,
    });
    expect(asked.get("state")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("nonce")).toMatch(/^[\w-]{43}$/);
    expect(step.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(await login({ interactive: false })).toEqual(first);
    later(280);
    const renewed = await login({ interactive: false });
    expect(renewed.accessToken).not.toBe(first.accessToken);
    expect(renewed.refreshToken).not.toBe(first.refreshToken);
    expect(count("/token")).toBe(2);
    expect(events.map(({ type }) => type).filter((type) => type !== "warning")).toEqual([
      "login_started",
      "logged_in",
      "reused",
      "refresh_started",
      "refreshed",
    ]);
  });

  it("logs in by device code where no browser is in front of them", async () => {
    const { issuer } = await startIssuer();
    const { login, ui, events } = issuerWorld({ issuer, clientId: "cli" });
    const token = await login({ openBrowser: true, env: { SSH_CONNECTION: "somewhere" } });
    expect(token.refreshToken).toBeDefined();
    expect((await ui.seen("device")).code.userCode).toMatch(/\w/);
    expect(events).toContainEqual(expect.objectContaining({ type: "logged_in", flow: "device" }));
  });

  it("logs in by the browser where the provider has no device flow", async () => {
    const client = { ...NATIVE, grant_types: ["authorization_code", "refresh_token"] };
    const { issuer } = await startIssuer({ clients: [client], features: { deviceFlow: { enabled: false } } });
    const { login, events } = issuerWorld({ issuer, clientId: "cli" });
    await login({ openBrowser: true, env: { SSH_CONNECTION: "somewhere" } });
    expect(events).toContainEqual(expect.objectContaining({ type: "logged_in", flow: "code" }));
    await expect(login({ flow: "device", force: true })).rejects.toMatchObject({
      code: "device_flow_unsupported",
    });
  });

  it("logs in by the browser where the provider keeps the device flow from this client", async () => {
    const client = { ...NATIVE, grant_types: ["authorization_code", "refresh_token"] };
    const { issuer } = await startIssuer({ clients: [client] });
    const { login, events } = issuerWorld({ issuer, clientId: "cli" });
    await login({ openBrowser: false });
    expect(events).toContainEqual(expect.objectContaining({ type: "logged_in", flow: "code" }));
  });

  it("that nobody can reach is told the exact commands that help", async () => {
    const { issuer } = await startIssuer();
    const { login } = issuerWorld({ issuer, clientId: "cli", audience: "api", scopes: ["openid", "read"] });
    await expect(login({ interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
      hint: expect.stringContaining(
        `OIDC_TOKEN_FILE=token.json oidc-auth ${issuer} --client-id cli --audience api --scopes 'openid read'`,
      ),
    });
  });

  it("may deny, in either flow", async () => {
    const { issuer } = await startIssuer();
    const { login } = issuerWorld({ issuer, clientId: "cli" }, { deny: true });
    await expect(login({ flow: "code" })).rejects.toMatchObject({ code: "access_denied" });
  });
});

describe("discovery", () => {
  it("is read once, by whichever process shares the store's folder; a refresh is one request", async () => {
    const { issuer, requests, count } = await startIssuer();
    const { login, later, folder } = issuerWorld({ issuer, clientId: "cli" });
    await login();
    expect(count("/.well-known/openid-configuration")).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith("oidc-discovery-"))).toHaveLength(1);
    // As a new process.
    forgetAllDocuments();
    later(280);
    requests.length = 0;
    await login({ interactive: false });
    expect(requests).toEqual(["POST /token"]);
  });

  it("is read again after a day", async () => {
    const { issuer, count } = await startIssuer();
    const { login, later } = issuerWorld({ issuer, clientId: "cli" });
    await login();
    later(25 * 3600);
    await login({ interactive: false });
    expect(count("/.well-known/openid-configuration")).toBe(2);
  });

  it("of RFC 8414 serves where OpenID's is missing", async () => {
    let document: unknown;
    const { issuer, provider } = await startIssuer({
      before: (request, response) => {
        if (request.url === "/.well-known/openid-configuration") response.writeHead(404).end();
        else if (request.url === "/.well-known/oauth-authorization-server") {
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
        } else return false;
        return true;
      },
    });
    document = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: ["ES256"],
      scopes_supported: ["openid", "offline_access"],
    };
    expect(provider.issuer).toBe(issuer);
    const { login } = issuerWorld({ issuer, clientId: "cli" });
    expect((await login()).refreshToken).toBeDefined();
  });

  it("of another issuer is refused, and says what it calls itself", async () => {
    const { issuer } = await startIssuer();
    const { login } = issuerWorld({ issuer: `${issuer.replace("127.0.0.1", "localhost")}`, clientId: "cli" });
    await expect(login()).rejects.toMatchObject({
      code: "issuer_mismatch",
      message: expect.stringContaining(issuer),
    });
  });

  it("that is not there says so", async () => {
    const { issuer } = await startIssuer();
    const { login } = issuerWorld({ issuer: `${issuer}/nowhere`, clientId: "cli" });
    await expect(login()).rejects.toMatchObject({ code: "request_failed", status: 404 });
  });

  it("is added to where it does not say all (GitLab's device flow)", async () => {
    const { issuer } = await startIssuer({
      before: (request, response) => {
        if (request.url !== "/.well-known/openid-configuration") return false;
        response.writeHead(200, { "content-type": "application/json" });
        response.end(
          JSON.stringify({
            issuer,
            authorization_endpoint: `${issuer}/auth`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/jwks`,
            id_token_signing_alg_values_supported: ["ES256"],
          }),
        );
        return true;
      },
    });
    const target = { issuer, clientId: "cli" };
    const { login } = issuerWorld(target);
    await expect(login({ flow: "device" })).rejects.toMatchObject({ code: "device_flow_unsupported" });
    const more = issuerWorld({ ...target, endpoints: { deviceAuthorization: `${issuer}/device/auth` } });
    expect((await more.login({ flow: "device" })).refreshToken).toBeDefined();
  });

  it("is not needed where the endpoints are given", async () => {
    const { issuer, count } = await startIssuer();
    const { login } = issuerWorld({
      issuer,
      clientId: "cli",
      scopes: ["openid", "offline_access"],
      idTokenSigningAlg: "ES256",
      endpoints: {
        authorization: `${issuer}/auth`,
        token: `${issuer}/token`,
        deviceAuthorization: `${issuer}/device/auth`,
        jwks: `${issuer}/jwks`,
      },
    });
    expect((await login()).refreshToken).toBeDefined();
    expect((await login({ flow: "device", force: true })).refreshToken).toBeDefined();
    expect(count("/.well-known/openid-configuration")).toBe(0);
  });
});
