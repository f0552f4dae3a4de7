import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeProtectedHeader, exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { CodeFlow } from "../../src/flows/code-flow.js";
import { unverifiedClaims } from "../../src/jwt.js";
import { bindLoopback } from "../../src/loopback/bind.js";
import { completeLogin, scriptedPerson } from "../../src/testing/index.js";
import { userinfo } from "../../src/userinfo.js";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";

/** Three ports that are free now, and stay so: no system takes any below 32768 for a connection to elsewhere. */
async function fixedPorts(): Promise<[number, number, number]> {
  const ports: number[] = [];
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); ports.length < 3; port++) {
    const servers: Server[] = [];
    const bound = await bindLoopback(port, () => {
      const server = createServer();
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    if (bound !== undefined) ports.push(bound);
  }
  return ports as [number, number, number];
}

describe("pushed authorization requests (RFC 9126)", () => {
  it("are used where the provider requires them: the browser sees no parameter", async () => {
    const { issuer, count } = await startIssuer({
      features: { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } },
    });
    const { login, ui } = issuerWorld({ issuer, clientId: "cli" });
    expect((await login()).refreshToken).toBeDefined();
    const { url } = await ui.seen("code");
    expect([...new URL(url).searchParams.keys()].sort()).toEqual(["client_id", "request_uri"]);
    expect(count("/request")).toBe(1);
  });

  it("are used where they are asked for, and left where they are not", async () => {
    const { issuer, count } = await startIssuer();
    const { login } = issuerWorld({ issuer, clientId: "cli" });
    await login();
    expect(count("/request")).toBe(0);
    const asked = issuerWorld({ issuer, clientId: "cli", pushedAuthorizationRequests: true });
    await asked.login();
    expect(count("/request")).toBe(1);
  });
});

describe("what the login page is asked", () => {
  it("is what the caller says", async () => {
    const { issuer } = await startIssuer();
    const { login, ui } = issuerWorld({
      issuer,
      clientId: "cli",
      scopes: ["openid", "email"],
      prompt: "login",
      loginHint: "alice@example.org",
      maxAge: 600,
      acrValues: ["high", "low"],
      parameters: { ui_locales: "de", access_type: "offline" },
    });
    await login();
    const { url } = await ui.seen("code");
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      scope: "openid email",
      prompt: "login",
      login_hint: "alice@example.org",
      max_age: "600",
      acr_values: "high low",
      ui_locales: "de",
      access_type: "offline",
    });
  });

  it("has no prompt where none is wanted, or no refresh token is", async () => {
    const { issuer } = await startIssuer();
    for (const more of [{ prompt: false as const }, { scopes: ["openid"] }]) {
      const { login, ui } = issuerWorld({ issuer, clientId: "cli", ...more });
      await login();
      expect(new URL((await ui.seen("code")).url).searchParams.has("prompt")).toBe(false);
    }
  });
});

describe("where the browser comes back", () => {
  it.each([
    ["http://localhost", /^http:\/\/localhost:\d+$/],
    ["http://127.0.0.1/back/here", /^http:\/\/127\.0\.0\.1:\d+\/back\/here$/],
    ["http://[::1]/callback", /^http:\/\/\[::1\]:\d+\/callback$/],
  ])("is %s, with any free port", async (redirectUri, expected) => {
    const client = { ...NATIVE, redirect_uris: [redirectUri] };
    const { issuer } = await startIssuer({ clients: [client] });
    const { login, ui } = issuerWorld({ issuer, clientId: "cli", redirectUri });
    await login();
    expect((await ui.seen("code")).redirectUri).toMatch(expected);
  });

  it("is a fixed port where one is given, and the first free of a list", async () => {
    const [own, taken, free] = await fixedPorts();
    const uris = [
      `http://127.0.0.1:${own}/x`,
      `http://localhost:${taken}/callback`,
      `http://localhost:${free}/callback`,
    ];
    const client = { ...NATIVE, application_type: "web" as const, redirect_uris: uris };
    const { issuer } = await startIssuer({ clients: [client] });
    const fixed = issuerWorld({ issuer, clientId: "cli", redirectUri: uris[0] });
    await fixed.login();
    expect((await fixed.ui.seen("code")).redirectUri).toBe(uris[0]);
    const holder: Server = createServer().listen(taken, "127.0.0.1");
    onTestFinished(() => void holder.close());
    const listed = issuerWorld({ issuer, clientId: "cli", redirectPorts: [taken, free] });
    await listed.login();
    expect((await listed.ui.seen("code")).redirectUri).toBe(uris[2]);
  });
});

describe("a callback", () => {
  async function begin(target: object = {}) {
    const { issuer, count } = await startIssuer();
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const person = scriptedPerson({ acts: false });
    const token = new CodeFlow(
      { issuer, clientId: "cli", ...target },
      { ...options, ...person },
    ).authenticate();
    token.catch(() => {});
    const step = await person.ui.seen("code");
    return { issuer, count, token, callback: await completeLogin(step.url, { visitCallback: false }) };
  }

  it("of another issuer ends the login before a code is spent (RFC 9207)", async () => {
    const { token, callback, count } = await begin();
    expect(callback.searchParams.get("iss")).toBeTruthy();
    callback.searchParams.set("iss", "https://evil.example");
    await fetch(callback);
    await expect(token).rejects.toMatchObject({ code: "issuer_mismatch" });
    expect(count("/token")).toBe(0);
  });

  it("without the issuer that the provider promises does, too", async () => {
    const { token, callback, count } = await begin();
    callback.searchParams.delete("iss");
    await fetch(callback);
    await expect(token).rejects.toMatchObject({ code: "issuer_mismatch" });
    expect(count("/token")).toBe(0);
  });

  it("with another state is a stranger's: the login goes on", async () => {
    const { token, callback } = await begin();
    const stranger = new URL(callback);
    stranger.searchParams.set("state", "x".repeat(43));
    expect((await fetch(stranger)).status).toBe(400);
    expect((await fetch(callback)).status).toBe(200);
    expect((await token).idToken).toBeDefined();
  });
});

describe("DPoP (RFC 9449)", () => {
  const client = { ...NATIVE, dpop_bound_access_tokens: true };
  const features = {
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => true },
  };

  it.each(["code", "device"] as const)(
    "binds the token of a %s login to a key, and proves it at each refresh",
    async (flow) => {
      const { issuer } = await startIssuer({ clients: [client], features });
      const { login, later, store, target } = issuerWorld({ issuer, clientId: "cli", dpop: true });
      const token = await login({ flow });
      expect(token.tokenType).toBe("DPoP");
      expect(token.headers.Authorization).toMatch(/^DPoP /);
      expect(token.dpopKey).toMatchObject({ kty: "EC", crv: "P-256", d: expect.any(String) });
      later(280);
      const renewed = await login({ interactive: false });
      expect(renewed.accessToken).not.toBe(token.accessToken);
      expect(renewed.dpopKey).toEqual(token.dpopKey);
      const { issuer: _issuer, ...rest } = target as { issuer: string; clientId: string; dpop: boolean };
      expect(await userinfo({ issuer, ...rest }, { store })).toMatchObject({ sub: "alice" });
    },
  );

  it("warns where the provider does not bind its tokens", async () => {
    const { issuer } = await startIssuer({ features: { dPoP: { enabled: false } } });
    const { login, events } = issuerWorld({ issuer, clientId: "cli", dpop: true });
    expect((await login()).tokenType).toBe("Bearer");
    expect(events).toContainEqual(
      expect.objectContaining({ type: "warning", message: expect.stringContaining("DPoP") }),
    );
  });

  it("shows no key when a token is inspected", async () => {
    const { issuer } = await startIssuer({ clients: [client], features });
    const token = await issuerWorld({ issuer, clientId: "cli", dpop: true }).login();
    const { inspect } = await import("node:util");
    expect(inspect(token)).not.toContain(String(token.dpopKey?.["d"]));
  });
});

describe("signed and encrypted answers", () => {
  it("JARM: the callback is one signed parameter", async () => {
    const client = { ...NATIVE, authorization_signed_response_alg: "ES256" as const };
    const { issuer } = await startIssuer({
      clients: [client],
      features: { jwtResponseModes: { enabled: true } },
    });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const person = scriptedPerson({ acts: false });
    const token = authenticate({ issuer, clientId: "cli", responseMode: "jwt" }, { ...options, ...person });
    const step = await person.ui.seen("code");
    const callback = await completeLogin(step.url, { visitCallback: false });
    expect([...callback.searchParams.keys()]).toEqual(["response"]);
    const [head, body, signature] = String(callback.searchParams.get("response")).split(".");
    const forged = new URL(callback);
    const other = Buffer.from(
      JSON.stringify({ ...unverifiedClaims(`${head}.${body}.x`), state: "y" }),
    ).toString("base64url");
    forged.searchParams.set("response", `${head}.${other}.${signature}`);
    expect((await fetch(forged)).status).toBe(400);
    expect((await fetch(callback)).status).toBe(200);
    expect((await token).refreshToken).toBeDefined();
  });

  it("JARM with a signature that does not hold ends the login", async () => {
    const client = { ...NATIVE, authorization_signed_response_alg: "ES256" as const };
    const { issuer, count } = await startIssuer({
      clients: [client],
      features: { jwtResponseModes: { enabled: true } },
    });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const person = scriptedPerson({ acts: false });
    const token = authenticate({ issuer, clientId: "cli", responseMode: "jwt" }, { ...options, ...person });
    token.catch(() => {});
    const callback = await completeLogin((await person.ui.seen("code")).url, { visitCallback: false });
    const [head, body] = String(callback.searchParams.get("response")).split(".");
    const claims = unverifiedClaims(`${head}.${body}.x`);
    const other = Buffer.from(JSON.stringify({ ...claims, code: "stolen" })).toString("base64url");
    callback.searchParams.set("response", `${head}.${other}.${"A".repeat(86)}`);
    expect((await fetch(callback)).status).toBe(400);
    await expect(token).rejects.toMatchObject({ code: "invalid_response" });
    expect(count("/token")).toBe(0);
  });

  it.each([
    ["RSA-OAEP-256", "RSA-OAEP-256"],
    ["ECDH-ES", "ECDH-ES"],
  ] as const)("encrypted id tokens (%s) are opened, at the login and at each refresh", async (_name, alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg, use: "enc", kid: "mine" };
    const client = {
      ...NATIVE,
      id_token_encrypted_response_alg: alg,
      id_token_encrypted_response_enc: "A256GCM" as const,
      userinfo_signed_response_alg: "ES256" as const,
      jwks: { keys: [jwk as never] },
    };
    const { issuer } = await startIssuer({
      clients: [client],
      features: { encryption: { enabled: true }, jwtUserinfo: { enabled: true } },
    });
    const decryptionKey = { ...(await exportJWK(privateKey)), alg, kid: "mine" };
    const { login, later, store, options } = issuerWorld({ issuer, clientId: "cli", decryptionKey });
    const token = await login();
    expect(decodeProtectedHeader(token.idToken ?? "")).toMatchObject({ alg: "ES256" });
    expect(unverifiedClaims(token.idToken ?? "")).toMatchObject({ sub: "alice", iss: issuer });
    later(280);
    expect(unverifiedClaims((await login({ interactive: false })).idToken ?? "")).toMatchObject({
      sub: "alice",
    });
    // Signed userinfo (OpenID Connect Core §5.3.2), by the same client.
    expect(await userinfo({ issuer, clientId: "cli", decryptionKey }, { ...options, store })).toMatchObject({
      sub: "alice",
    });
  });

  it("a key that is not the right one is a clear error", async () => {
    const { publicKey } = await generateKeyPair("RSA-OAEP-256", { extractable: true });
    const { privateKey } = await generateKeyPair("RSA-OAEP-256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: "RSA-OAEP-256", use: "enc" };
    const client = {
      ...NATIVE,
      id_token_encrypted_response_alg: "RSA-OAEP-256" as const,
      jwks: { keys: [jwk as never] },
    };
    const { issuer } = await startIssuer({ clients: [client], features: { encryption: { enabled: true } } });
    const pem = await exportPKCS8(privateKey);
    const { login } = issuerWorld({
      issuer,
      clientId: "cli",
      decryptionKey: { ...(await exportJWK(privateKey)), alg: "RSA-OAEP-256" },
    });
    const error: Error = await login().then(
      () => new Error("It logged in."),
      (failed) => failed,
    );
    expect(error).toMatchObject({ code: "invalid_response", message: expect.stringMatching(/decrypt/) });
    expect(JSON.stringify(error)).not.toContain(pem.slice(40, 80));
  });
});

describe("an audience", () => {
  it("is sent with the login and with each token request", async () => {
    const sent: (string | null)[] = [];
    const issuer = await oddIssuer((form) => {
      sent.push(form.get("audience"));
      return [200, { access_token: "a-token", token_type: "Bearer", expires_in: 300, refresh_token: "r" }];
    });
    const target = { issuer, clientId: "cli", audience: "https://api.example.org", scopes: ["read"] };
    const { options, later } = issuerWorld(target);
    const person = scriptedPerson({ acts: false });
    const login = () => authenticate(target, { ...options, ...person, flow: "device" });
    await login();
    later(280);
    await login();
    expect(sent).toEqual(["https://api.example.org", "https://api.example.org"]);
    const stop = new AbortController();
    const code = authenticate(target, {
      ...options,
      ...person,
      flow: "code",
      force: true,
      signal: stop.signal,
    });
    code.catch(() => {});
    expect(new URL((await person.ui.seen("code")).url).searchParams.get("audience")).toBe(
      "https://api.example.org",
    );
    stop.abort();
    await expect(code).rejects.toMatchObject({ code: "login_cancelled" });
  });
});

describe("resource indicators (RFC 8707)", () => {
  it("are sent with the login and with each token request; the token is for that API", async () => {
    const api = "https://api.example.org/v1";
    const audiences: (string | undefined)[] = [];
    const { issuer } = await startIssuer({
      features: {
        resourceIndicators: {
          enabled: true,
          defaultResource: () => [],
          useGrantedResource: () => false,
          getResourceServerInfo: (_context, resource) => {
            audiences.push(resource);
            return {
              scope: "read write",
              accessTokenFormat: "jwt",
              jwt: { sign: { alg: "ES256" } },
              audience: resource,
            };
          },
        },
      },
    });
    const { login, later } = issuerWorld({
      issuer,
      clientId: "cli",
      resource: api,
      scopes: ["openid", "offline_access", "read"],
    });
    const token = await login();
    expect(unverifiedClaims(token.accessToken)).toMatchObject({ aud: api, scope: "read" });
    later(280);
    expect(unverifiedClaims((await login({ interactive: false })).accessToken)).toMatchObject({ aud: api });
    expect(new Set(audiences)).toEqual(new Set([api]));
  });
});

describe("a login belongs to what was asked for", () => {
  it("other clients, scopes, APIs and accounts of one store have logins of their own", async () => {
    const clients = [NATIVE, { ...NATIVE, client_id: "other" }];
    const { issuer } = await startIssuer({ clients });
    const { login, options, store } = issuerWorld({ issuer, clientId: "cli" });
    const first = await login();
    const tokens = [
      first,
      await authenticate({ issuer, clientId: "other" }, options),
      await authenticate({ issuer, clientId: "cli", scopes: ["openid"] }, options),
      await authenticate({ issuer, clientId: "cli" }, { ...options, account: "second" }),
    ];
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(4);
    expect(await login()).toEqual(first);
    const hosts = await store.hosts();
    expect(hosts).toHaveLength(4);
    for (const host of hosts) expect(await store.remove(host)).toBe(true);
    expect(await store.hosts()).toEqual([]);
  });
});

/** A provider of a few lines, for answers that no real one gives. */
async function oddIssuer(
  answers: (form: URLSearchParams) => [number, object],
  device?: object,
): Promise<string> {
  const server = createServer((request, response) => {
    const reply = (status: number, body: object) =>
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(typeof body === "string" ? body : JSON.stringify(body));
    if (request.url === "/.well-known/openid-configuration") {
      reply(200, {
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        device_authorization_endpoint: `${issuer}/device`,
        id_token_signing_alg_values_supported: ["RS256"],
      });
    } else if (request.url === "/device" && device && "gone" in device) {
      response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>");
    } else if (request.url === "/device") {
      reply(
        200,
        device ?? {
          device_code: "secret-device-code",
          user_code: "AB-CD",
          verification_url: "https://x.example/go",
          expires_in: 60,
        },
      );
    } else {
      void readBody(request).then((body) => reply(...answers(new URLSearchParams(body))));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return issuer;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

function idToken(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

describe("answers that no real provider should give", () => {
  const seconds = () => Math.floor(Date.now() / 1000);
  const tokens = (issuer: string, sub: string, more: object = {}) => ({
    access_token: createHash("sha256").update(`${sub}${Math.random()}`).digest("hex"),
    token_type: "bearer",
    expires_in: 300,
    refresh_token: `refresh-of-${sub}`,
    id_token: idToken({ iss: issuer, aud: "cli", sub, iat: seconds(), exp: seconds() + 300 }),
    ...more,
  });

  it("Google's verification_url, and GitHub's errors with status 200, are understood", async () => {
    let polls = 0;
    const issuer = await oddIssuer(() => {
      polls++;
      return polls < 3 ? [200, { error: "authorization_pending" }] : [200, tokens(issuer, "alice")];
    });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const token = await authenticate(
      { issuer, clientId: "cli" },
      { ...options, ...scriptedPerson({ acts: false }), flow: "device" },
    );
    expect(token.refreshToken).toBe("refresh-of-alice");
    expect(polls).toBe(3);
  });

  it("GitHub's refusal of the device flow, with status 200, leads to the browser", async () => {
    const issuer = await oddIssuer(() => [200, tokens(issuer, "alice")], { error: "device_flow_disabled" });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const person = scriptedPerson({ acts: false });
    const stop = new AbortController();
    const login = authenticate(
      { issuer, clientId: "cli" },
      { ...options, ...person, openBrowser: false, signal: stop.signal },
    );
    login.catch(() => {});
    expect((await person.ui.seen("code")).url).toContain(`${issuer}/auth?`);
    stop.abort();
    await expect(login).rejects.toMatchObject({ code: "login_cancelled" });
  });

  it("a token that stands alone where JSON should be is not quoted", async () => {
    const issuer = await oddIssuer(() => [200, "gho_SECRET-TOKEN" as unknown as object]);
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const error: unknown = await authenticate(
      { issuer, clientId: "cli" },
      { ...options, ...scriptedPerson({ acts: false }), flow: "device" },
    ).catch((failed) => failed);
    expect(error).toMatchObject({ code: "invalid_response" });
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("gho_SECRET");
  });

  it("a device endpoint that is gone leads to the browser", async () => {
    const issuer = await oddIssuer(() => [200, tokens(issuer, "alice")], { gone: true });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const person = scriptedPerson({ acts: false });
    const stop = new AbortController();
    const login = authenticate(
      { issuer, clientId: "cli" },
      { ...options, ...person, openBrowser: false, signal: stop.signal },
    );
    login.catch(() => {});
    expect((await person.ui.seen("code")).url).toContain(`${issuer}/auth?`);
    stop.abort();
    await expect(login).rejects.toMatchObject({ code: "login_cancelled" });
  });

  it("a renewed id token of another person is refused, and the stored login kept", async () => {
    let sub = "alice";
    const issuer = await oddIssuer(() => [200, tokens(issuer, sub)]);
    const { options, later, store } = issuerWorld({ issuer, clientId: "cli" });
    const login = () =>
      authenticate(
        { issuer, clientId: "cli" },
        { ...options, ...scriptedPerson({ acts: false }), flow: "device" },
      );
    const first = await login();
    sub = "mallory";
    later(280);
    await expect(login()).rejects.toMatchObject({
      code: "invalid_response",
      message: expect.stringMatching(/another person/),
    });
    const [host] = await store.hosts();
    expect(await store.get(host ?? "")).toEqual(first);
  });

  it("scopes that shrink at a refresh are told", async () => {
    let scope = "openid read write";
    const issuer = await oddIssuer(() => [200, tokens(issuer, "alice", { scope })]);
    const { options, later, events } = issuerWorld({ issuer, clientId: "cli" });
    const target = { issuer, clientId: "cli", scopes: ["openid", "read", "write", "admin"] };
    const login = () =>
      authenticate(target, { ...options, ...scriptedPerson({ acts: false }), flow: "device" });
    await login();
    expect(events).toContainEqual({ type: "scope_reduced", server: issuer, missing: ["admin"] });
    scope = "openid read";
    later(280);
    expect((await login()).scope).toBe("openid read");
    expect(events).toContainEqual({ type: "scope_reduced", server: issuer, missing: ["write"] });
  });

  it.each([
    [
      "an id token for another client",
      { id_token: idToken({ iss: "ISSUER", aud: "x", sub: "a", iat: 1, exp: 9e9 }) },
      "invalid_response",
    ],
    [
      "an id token that has ended",
      { id_token: idToken({ iss: "ISSUER", aud: "cli", sub: "a", iat: 1, exp: 2 }) },
      "invalid_response",
    ],
    ["a token of an unknown type", { token_type: "mac" }, "invalid_response"],
    ["no access token", { access_token: undefined }, "invalid_response"],
  ])("%s is refused, and nothing secret is told", async (_name, more, code) => {
    const fixed = Object.fromEntries(
      Object.entries(more).map(([name, value]) => {
        const inner = typeof value === "string" && name === "id_token" ? unverifiedClaims(value) : undefined;
        return [name, inner ? idToken({ ...inner, iss: "LATER" }) : value];
      }),
    );
    const issuer = await oddIssuer(() => {
      const inner = unverifiedClaims(String(fixed["id_token"] ?? ""));
      return [
        200,
        tokens(issuer, "alice", { ...fixed, ...(inner && { id_token: idToken({ ...inner, iss: issuer }) }) }),
      ];
    });
    const { options } = issuerWorld({ issuer, clientId: "cli" });
    const error: unknown = await authenticate(
      { issuer, clientId: "cli" },
      { ...options, ...scriptedPerson({ acts: false }), flow: "device" },
    ).catch((e) => e);
    expect(error).toMatchObject({ code });
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(
      /refresh-of-alice|secret-device-code/,
    );
  });
});
