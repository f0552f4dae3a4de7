import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, exportJWK, exportPKCS8, generateKeyPair, jwtVerify, SignJWT } from "jose";
import type { ClientMetadata, Configuration } from "oidc-provider";
import { onTestFinished } from "vitest";
import { listen } from "../../src/testing/server/http.js";
import type { ProviderInstance } from "../../src/testing/server/load-provider.js";
import { openProvider } from "../../src/testing/server/provider.js";
import { NATIVE, providerSettings } from "../../src/testing/server/provider-settings.js";

export { NATIVE };

export interface IssuerTestOptions {
  readonly clients?: readonly ClientMetadata[];
  readonly features?: Configuration["features"];
  /** Over what is set here. */
  readonly configuration?: Partial<Configuration>;
  /** Seconds. Default 300. */
  readonly accessTokenLifetime?: number;
  /** PEM files for https; with `ca`, client certificates are asked for. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Answers before the provider does: returns true where it did. */
  readonly before?: (...[request, response]: Parameters<RequestListener>) => boolean;
  readonly path?: string;
  /** The origin that the world knows it by, where something stands in front of it. */
  readonly publicOrigin?: string;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly provider: ProviderInstance;
  /** Where it really is. */
  readonly origin: string;
  /** Method and path of each request. */
  readonly requests: string[];
  /** How many requests went to a path. */
  count(path: string): number;
  /** The job's own identity, as a CI system vouches for it. */
  jobToken(claims?: Record<string, unknown>): Promise<string>;
  /** What it is signed with, in PEM. */
  readonly jobKey: string;
  close(): Promise<void>;
}

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** A provider that knows no program yet, lets them register, and gives tokens for any API. */
export const REGISTRATION: IssuerTestOptions = {
  clients: [],
  features: {
    registration: { enabled: true, initialAccessToken: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => [],
      useGrantedResource: () => false,
      getResourceServerInfo: (_context, resource) => ({
        scope: "read write",
        accessTokenFormat: "opaque",
        audience: resource,
      }),
    },
  },
};

/** A real OpenID provider, without any route of ours in front; it ends with the test. */
export async function startIssuer(options: IssuerTestOptions = {}): Promise<TestIssuer> {
  const started = await openIssuer(options);
  onTestFinished(started.close);
  return started;
}

/** The same for several tests: whoever opens it closes it. */
export async function openIssuer(options: IssuerTestOptions = {}): Promise<TestIssuer> {
  const requests: string[] = [];
  let listening = { origin: "", close: async () => {} };
  const bind = async (listener: RequestListener) => {
    listening = options.tls ? await listenTls(listener, options.tls) : await listenPlain(listener);
    return options.publicOrigin ?? listening.origin;
  };
  const { issuer, provider } = await openProvider(bind, await issuerConfiguration(options), {
    path: options.path ?? "",
    before: (request, response) => {
      requests.push(`${request.method} ${(request.url ?? "").split("?")[0]}`);
      return options.before?.(request, response);
    },
  });
  const job = await generateKeyPair("ES256", { extractable: true });
  const jobKeys = createLocalJWKSet({ keys: [{ ...(await exportJWK(job.publicKey)), alg: "ES256" }] });
  for (const grantType of [TOKEN_EXCHANGE, JWT_BEARER])
    registerJobGrant(provider, grantType, jobKeys, issuer);
  return {
    issuer,
    provider,
    ...listening,
    requests,
    count: (path) => requests.filter((one) => one.endsWith(` ${path}`)).length,
    jobKey: await exportPKCS8(job.privateKey),
    jobToken: (claims = {}) =>
      new SignJWT({ sub: "repo:us/tool", ...claims })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer("https://ci.example.org")
        .setAudience(issuer)
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(job.privateKey),
  };
}

export async function issuerConfiguration(options: IssuerTestOptions): Promise<Configuration> {
  const { clients = [NATIVE], features, accessTokenLifetime: accessToken } = options;
  const settings = await providerSettings(clients, accessToken === undefined ? {} : { accessToken });
  return {
    ...settings,
    scopes: ["openid", "offline_access", "profile", "email", "read", "write"],
    features: {
      ...settings.features,
      introspection: { enabled: true, allowedPolicy: () => true },
      clientCredentials: { enabled: true },
      userinfo: { enabled: true },
      ...features,
    } as NonNullable<Configuration["features"]>,
    ...options.configuration,
  };
}

/** What `oidc-provider` leaves to its users: a token for the token of a job that this issuer trusts. */
function registerJobGrant(
  provider: ProviderInstance,
  grantType: string,
  keys: ReturnType<typeof createLocalJWKSet>,
  audience: string,
): void {
  const member = grantType === JWT_BEARER ? "assertion" : "subject_token";
  provider.registerGrantType(
    grantType,
    async (context) => {
      const { client, params } = context.oidc;
      try {
        await jwtVerify(String(params?.[member]), keys, { issuer: "https://ci.example.org", audience });
      } catch {
        context.status = 400;
        context.body = { error: "invalid_grant", error_description: "The job's token is not trusted." };
        return;
      }
      if (!client) throw new Error("There is no client.");
      const token = new provider.ClientCredentials({ client, scope: "read" } as never);
      context.body = {
        access_token: await token.save(),
        expires_in: token.expiration,
        token_type: "Bearer",
        scope: "read",
        ...(grantType === TOKEN_EXCHANGE && {
          issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        }),
      };
    },
    [member, "subject_token_type", "scope", "resource", "audience", "requested_token_type"],
    ["resource"],
  );
}

async function listenPlain(listener: RequestListener): Promise<{ origin: string; close(): Promise<void> }> {
  const { port, close } = await listen(0, listener);
  return { origin: `http://127.0.0.1:${port}`, close };
}

async function listenTls(
  listener: RequestListener,
  tls: NonNullable<IssuerTestOptions["tls"]>,
): Promise<{ origin: string; close(): Promise<void> }> {
  const asks = tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: false };
  const server = createHttpsServer({ cert: tls.cert, key: tls.key, ...asks }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
