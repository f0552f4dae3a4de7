import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from "jose";
import type { ClientMetadata } from "oidc-provider";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { clientCredentials, jwtBearer, signedJwt, tokenExchange } from "../../src/credentials/grants.js";
import {
  fromCallback,
  fromEnvironment,
  fromFile,
  fromGitHubActions,
  fromGitLab,
  fromKubernetes,
} from "../../src/credentials/workload.js";
import type { Credentials } from "../../src/grant.js";
import type { IssuerInit } from "../../src/settings/issuer.js";
import { startAuthServer } from "../../src/testing/index.js";
import { introspect } from "../../src/userinfo.js";
import { localCertificate } from "../support/certificates.js";
import { startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";

const SERVICE: ClientMetadata = {
  client_id: "service",
  id_token_signed_response_alg: "ES256",
  redirect_uris: [],
  response_types: [],
  grant_types: [
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
  ],
  scope: "read write",
};

function service(issuer: string, more: Partial<IssuerInit> = {}): IssuerInit {
  return { issuer, clientId: "service", clientSecret: "a secret: of a test", ...more };
}

describe("the client's own credentials", () => {
  it.each(["client_secret_basic", "client_secret_post"] as const)(
    "by %s, chosen by what the provider takes",
    async (method) => {
      const { issuer, count } = await startIssuer({
        clients: [{ ...SERVICE, client_secret: "a secret: of a test", token_endpoint_auth_method: method }],
        configuration: { clientAuthMethods: [method] },
      });
      const { login, later, events } = issuerWorld(
        service(issuer, { credentials: clientCredentials(), scopes: ["read"] }),
      );
      const token = await login({ interactive: false });
      expect(token.scope).toBe("read");
      expect(token.refreshToken).toBeUndefined();
      expect(await login()).toEqual(token);
      later(280);
      expect((await login()).accessToken).not.toBe(token.accessToken);
      expect(count("/token")).toBe(2);
      expect(events.map(({ type }) => type).filter((type) => type !== "warning")).toEqual([
        "granted",
        "reused",
        "granted",
      ]);
    },
  );

  it.each(["PEM", "JWK"] as const)("by private_key_jwt, with a key as %s", async (form) => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "mine", alg: "ES256" };
    const { issuer } = await startIssuer({
      clients: [
        { ...SERVICE, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk as never] } },
      ],
    });
    const key =
      form === "PEM" ? await exportPKCS8(privateKey) : { ...(await exportJWK(privateKey)), kid: "mine" };
    const target: IssuerInit = {
      issuer,
      clientId: "service",
      privateKey: key,
      credentials: clientCredentials(),
      ...(form === "PEM" && { assertionAudience: `${issuer}/token` }),
    };
    const { login, options } = issuerWorld(target);
    expect((await login()).accessToken).toBeTruthy();
    expect(await introspect(target, options)).toMatchObject({ active: true, client_id: "service" });
  });

  it("by a TLS client certificate, over a provider whose authority only we know (RFC 8705)", async () => {
    const { ca, cert, key } = await localCertificate();
    const folder = tempFolder();
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const { issuer } = await startIssuer({
      tls: { cert, key, ca },
      configuration: { clientAuthMethods: ["tls_client_auth"] },
      clients: [
        { ...SERVICE, token_endpoint_auth_method: "tls_client_auth", tls_client_auth_san_dns: "localhost" },
      ],
      features: {
        mTLS: {
          enabled: true,
          tlsClientAuth: true,
          getCertificate: (context) => {
            const { raw } = (context.req.socket as import("node:tls").TLSSocket).getPeerCertificate();
            return raw
              ? `-----BEGIN CERTIFICATE-----\n${raw.toString("base64")}\n-----END CERTIFICATE-----`
              : undefined;
          },
          certificateAuthorized: (context) => (context.req.socket as import("node:tls").TLSSocket).authorized,
          certificateSubjectMatches: (_context, property, expected) =>
            property === "tls_client_auth_san_dns" && expected === "localhost",
        },
      },
    });
    const target: IssuerInit = {
      issuer,
      clientId: "service",
      clientAuthMethod: "tls_client_auth",
      credentials: clientCredentials(),
    };
    const { options } = issuerWorld(target);
    const network = {
      caFile: write("ca.pem", ca),
      certFile: write("cert.pem", cert),
      keyFile: write("key.pem", key),
    };
    expect((await authenticate(target, { ...options, network })).accessToken).toBeTruthy();
    const without = { ...options, force: true, network: { caFile: network.caFile } };
    await expect(authenticate(target, without)).rejects.toMatchObject({ code: "invalid_client" });
    await expect(
      authenticate(target, { ...options, force: true, network: { proxy: false } }),
    ).rejects.toMatchObject({
      code: "network_error",
      hint: expect.stringContaining("caFile"),
    });
  });

  it("that are wrong are an error that says what to check, and shows no secret", async () => {
    const { issuer } = await startIssuer({
      clients: [{ ...SERVICE, client_secret: "the right secret of a test" }],
    });
    const { login, store } = issuerWorld(service(issuer, { credentials: clientCredentials() }));
    const error: Error = await login().catch((failed) => failed);
    expect(error).toMatchObject({ code: "invalid_client", status: 401 });
    expect(error.message).toContain("the client's own credentials");
    expect(JSON.stringify(error) + error.stack).not.toContain("a secret: of a test");
    expect(await store.hosts()).toEqual([]);
  });
});

describe("a fleet", () => {
  it("asks once, for the first token and for each that follows", async () => {
    const { issuer, count } = await startIssuer({
      clients: [{ ...SERVICE, client_secret: "a secret: of a test" }],
    });
    const target = service(issuer, { credentials: clientCredentials() });
    const { login, later } = issuerWorld(target);
    for (const round of [1, 2, 3]) {
      const tokens = await Promise.all(Array.from({ length: 20 }, () => login()));
      expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
      expect(count("/token")).toBe(round);
      later(280);
    }
  });
});

describe("the token of a job", () => {
  async function issuerFor() {
    return startIssuer({ clients: [{ ...SERVICE, client_secret: "a secret: of a test" }] });
  }
  const login = (issuer: string, credentials: Credentials, env: Record<string, string> = {}) => {
    const { options, store } = issuerWorld(service(issuer));
    return authenticate(service(issuer, { credentials }), { ...options, env, store });
  };

  it("is given in exchange (RFC 8693), or is the grant (RFC 7523)", async () => {
    const { issuer, jobToken } = await issuerFor();
    const token = await jobToken();
    for (const credentials of [
      tokenExchange({ subjectToken: token, requestedTokenType: "access_token" }),
      tokenExchange({
        subjectToken: async () => token,
        subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      }),
      jwtBearer({ assertion: () => token }),
      fromCallback(() => jobToken(), { use: "jwt-bearer" }),
    ]) {
      expect((await login(issuer, credentials)).scope).toBe("read");
    }
  });

  it("is the client's proof of who it is (RFC 7523 §2.2)", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: "ES256" };
    const { issuer } = await startIssuer({
      clients: [
        { ...SERVICE, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk as never] } },
      ],
    });
    const proof = () =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer("service")
        .setSubject("service")
        .setAudience(issuer)
        .setIssuedAt()
        .setExpirationTime("1m")
        .sign(privateKey);
    const credentials = fromCallback(proof, { use: "client-assertion" });
    const target: IssuerInit = { issuer, clientId: "service", credentials };
    expect((await issuerWorld(target).login()).accessToken).toBeTruthy();
  });

  it("may be one that we sign ourselves", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const { issuer, jobKey } = await issuerFor();
    const ours = {
      issuer: "https://ci.example.org",
      privateKey: jobKey,
      audience: issuer,
      lifetime: 60,
    };
    expect((await login(issuer, jwtBearer({ assertion: signedJwt(ours) }))).scope).toBe("read");
    expect(
      (await login(issuer, jwtBearer({ assertion: signedJwt({ ...ours, subject: false }) }))).scope,
    ).toBe("read");
    const assertion = signedJwt({
      issuer: "https://ci.example.org",
      privateKey: await exportPKCS8(privateKey),
      audience: issuer,
    });
    // The provider knows another key: it is asked, and refuses.
    const error: Error = await login(issuer, jwtBearer({ assertion })).catch((failed) => failed);
    expect(error).toMatchObject({ code: "invalid_grant", description: "The job's token is not trusted." });
    expect(error.message).toContain("a signed assertion");
  });

  it("of GitHub Actions is asked for with the audience", async () => {
    const { issuer, jobToken } = await issuerFor();
    const token = await jobToken();
    const asked: string[] = [];
    const service = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ value: token }));
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void service.close());
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/token?api-version=2`;
    const env = {
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    };
    expect((await login(issuer, fromGitHubActions({ audience: "us" }), env)).scope).toBe("read");
    expect(asked).toEqual(["/token?api-version=2&audience=us Bearer request-token"]);
    await expect(login(issuer, fromGitHubActions())).rejects.toMatchObject({
      code: "credentials_unavailable",
      hint: expect.stringContaining("id-token: write"),
    });
    const plain = { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: "http://example.org/" };
    await expect(login(issuer, fromGitHubActions(), plain)).rejects.toMatchObject({
      code: "credentials_unavailable",
    });
  });

  it("of GitLab CI, or of any variable, is read from the environment", async () => {
    const { issuer, jobToken } = await issuerFor();
    const token = await jobToken();
    expect((await login(issuer, fromGitLab(), { OIDC_TOKEN: token })).scope).toBe("read");
    expect((await login(issuer, fromGitLab({ variable: "MINE" }), { MINE: token })).scope).toBe("read");
    expect((await login(issuer, fromEnvironment("ANY"), { ANY: token })).scope).toBe("read");
    await expect(login(issuer, fromGitLab())).rejects.toMatchObject({
      code: "credentials_unavailable",
      message: expect.stringContaining("OIDC_TOKEN"),
    });
  });

  it("in a file is read again when it was rotated", async () => {
    const { issuer, jobToken, count } = await issuerFor();
    const path = join(tempFolder(), "token");
    const world = issuerWorld(service(issuer, { credentials: fromKubernetes({ path }) }));
    writeFileSync(path, `${await jobToken()}\n`);
    const first = await world.login();
    world.later(280);
    writeFileSync(path, "a token that is none");
    await expect(world.login()).rejects.toMatchObject({ code: "invalid_grant" });
    writeFileSync(path, await jobToken({ rotated: true }));
    expect((await world.login()).accessToken).not.toBe(first.accessToken);
    expect(count("/token")).toBe(3);
    world.later(280);
    rmSync(path);
    await expect(world.login()).rejects.toMatchObject({
      code: "credentials_unavailable",
      message: expect.stringContaining(path),
    });
  });

  it("that cannot be had says why, and shows nothing of it", async () => {
    const { issuer } = await issuerFor();
    const path = join(tempFolder(), "empty");
    writeFileSync(path, "\n");
    await expect(login(issuer, fromFile(path))).rejects.toMatchObject({
      message: expect.stringContaining("it is empty"),
    });
    const failing = fromCallback(() => {
      throw new Error("the vault is sealed");
    });
    await expect(login(issuer, failing)).rejects.toMatchObject({
      code: "credentials_unavailable",
      message: expect.stringContaining("the vault is sealed"),
    });
  });

  it("is exchanged by a server with the py-oidc-auth routes, too", async () => {
    const server = await startAuthServer({ mode: "broker", enforceInterval: false, deviceInterval: 0.05 });
    onTestFinished(() => server.close());
    const world = issuerWorld(service(server.host));
    const subjectToken = (await logIn(server.host, world.store)).accessToken;
    const login = (credentials: Credentials) =>
      authenticate({ host: server.host, credentials }, { ...world.options, force: true });
    const token = await login(tokenExchange({ subjectToken }));
    expect(token.accessToken).not.toBe(subjectToken);
    expect((await fetch(server.meUrl, { headers: token.headers })).status).toBe(200);
    await expect(login(tokenExchange({ subjectToken: "no token at all" }))).rejects.toMatchObject({
      status: 401,
    });
    await expect(login(clientCredentials())).rejects.toMatchObject({ code: "not_supported" });
  });
});
