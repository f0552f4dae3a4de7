import type { RequestListener } from "node:http";
import type { TLSSocket } from "node:tls";
import type { CryptoKey } from "jose";
import type { ClientMetadata, Configuration, JWK } from "oidc-provider";
import { interactionPages } from "../../../src/testing/server/interactions.js";
import { makeProvider } from "../../../src/testing/server/load-provider.js";
import { issuerConfiguration, NATIVE } from "../../support/issuer.js";
import { registerJobGrants } from "./job-grants.js";

/** A provider that a page names, under the very name and with the client that the page has registered there. */
interface Named {
  readonly issuer: string;
  readonly clients: readonly ClientMetadata[];
  readonly configuration?: Partial<Configuration>;
  /** Paths of the host that mean one of the provider's own. */
  readonly paths?: Readonly<Record<string, string>>;
}

/** What the client secrets of the pages are. */
export const CLIENT_SECRET = "a secret of the pages, which nobody keeps";

const native = (client_id: string, more: ClientMetadata | object = {}): ClientMetadata => ({
  ...NATIVE,
  client_id,
  ...more,
});
/** Registered by its port, as a web client is: no other is taken. */
const byPort = (client_id: string, ports: readonly number[], more: object = {}): ClientMetadata =>
  native(client_id, {
    application_type: "web",
    redirect_uris: ports.map((port) => `http://localhost:${port}/callback`),
    ...more,
  });
const service = (client_id: string, more: object): ClientMetadata => ({
  client_id,
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials"],
  id_token_signed_response_alg: "ES256",
  ...more,
});
const job = (client_id: string): ClientMetadata =>
  service(client_id, {
    token_endpoint_auth_method: "none",
    grant_types: [
      "urn:ietf:params:oauth:grant-type:token-exchange",
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ],
  });

/** The providers of the pages. `key` is the public half of what jobs and services sign with. */
export function namedIssuers(key: JWK): readonly Named[] {
  const own = [
    ...["my-cli", "kubernetes", "my-app"].map((id) => native(id)),
    ...["ci", "pod", "relay"].map(job),
    service("service", {
      client_secret: CLIENT_SECRET,
      token_endpoint_auth_method: "client_secret_basic",
    }),
    service("signing-service", {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ ...key, kid: "2026-01" }] },
    }),
    service("tls-service", {
      token_endpoint_auth_method: "tls_client_auth",
      tls_client_auth_san_dns: "service.example.org",
    }),
  ];
  const scopes = (...names: string[]) => ({ scopes: ["openid", "offline_access", ...names] });
  return [
    ...["", "/realms/research", "/realms/x"].map((path) => ({
      issuer: `https://login.example.org${path}`,
      clients: own,
    })),
    { issuer: "https://keycloak.example.org/realms/research", clients: [native("my-cli")] },
    {
      issuer: "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
      clients: [native("22222222-2222-2222-2222-222222222222", { redirect_uris: ["http://localhost"] })],
      configuration: scopes("api://11111111-1111-1111-1111-111111111111/.default"),
    },
    {
      issuer: "https://example.okta.com/oauth2/default",
      clients: [byPort("0oa1example", [8400, 8401, 8402])],
      configuration: scopes("items.read"),
    },
    {
      issuer: "https://example.eu.auth0.com/",
      clients: [byPort("ExampleClientId", [8400, 8401, 8402])],
      configuration: scopes("read:items"),
    },
    {
      issuer: "https://accounts.google.com",
      clients: [
        native("1234567890-example.apps.googleusercontent.com", {
          client_secret: "the-one-of-the-desktop-client",
          token_endpoint_auth_method: "client_secret_basic",
        }),
        native("1234567890-devices.apps.googleusercontent.com", {
          client_secret: "the-one-of-the-device-client",
          token_endpoint_auth_method: "client_secret_basic",
        }),
        job("100000000000000000000"),
      ],
      configuration: scopes("email", "https://www.googleapis.com/auth/drive.file"),
    },
    {
      issuer: "https://github.com/login/oauth",
      clients: [
        native("Iv1.0123456789abcdef"),
        native("Ov23exampleclient", {
          client_secret: CLIENT_SECRET,
          token_endpoint_auth_method: "client_secret_post",
        }),
      ],
      configuration: scopes("read:user", "repo"),
      paths: {
        "/login/oauth/authorize": "/auth",
        "/login/oauth/access_token": "/token",
        "/login/device/code": "/device/auth",
      },
    },
    {
      issuer: "https://gitlab.com",
      clients: [native("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")],
      configuration: scopes("read_api"),
      paths: { "/oauth/authorize_device": "/device/auth" },
    },
    {
      issuer: "https://authentik.example.org/application/o/my-cli/",
      clients: [native("ExampleClientId")],
    },
    {
      issuer: "https://example.zitadel.cloud",
      clients: [native("123456789012345678")],
      configuration: scopes("urn:zitadel:iam:org:project:id:234567890123456789:aud"),
    },
  ];
}

/** A provider's answers to requests below its issuer, and to those of its host that mean it. */
export interface StagedIssuer {
  readonly issuer: string;
  /** Answers where the request is for this one: returns whether it was. */
  answer: (...words: Parameters<RequestListener>) => boolean;
}

export async function stageIssuer(named: Named, jobKey: CryptoKey): Promise<StagedIssuer> {
  const { issuer, clients, paths = {} } = named;
  const mount = new URL(issuer).pathname.replace(/\/$/, "");
  const logins = new Set<string>();
  const settings = await issuerConfiguration({
    clients,
    features: {
      registration: { enabled: true, initialAccessToken: false },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        getCertificate: (context) => {
          const { raw } = (context.req.socket as TLSSocket).getPeerCertificate();
          if (!raw) return undefined;
          return `-----BEGIN CERTIFICATE-----\n${raw.toString("base64")}\n-----END CERTIFICATE-----`;
        },
        certificateAuthorized: (context) => (context.req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (_context, property, expected) =>
          property === "tls_client_auth_san_dns" && expected === "service.example.org",
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://api.example.org",
        getResourceServerInfo: () => ({ scope: "read write", accessTokenFormat: "opaque" }),
      },
    },
    configuration: {
      clientAuthMethods: [
        ...(["none", "client_secret_basic", "client_secret_post"] as const),
        ...(["private_key_jwt", "tls_client_auth"] as const),
      ],
      // Copies of one login are used side by side by the blocks.
      rotateRefreshToken: false,
      interactions: {
        url: (_context, { uid }) => {
          logins.add(uid);
          return `/interaction/${uid}`;
        },
      },
      ...named.configuration,
    },
  });
  const provider = await makeProvider(issuer, settings);
  registerJobGrants(provider, jobKey);
  // It never says how often it may be asked, and five seconds is what that means.
  provider.use(async (context, next) => {
    await next();
    if (context.oidc?.route === "device_authorization" && context.status === 200)
      Object.assign(context.body as object, { interval: 0.2 });
  });
  const callback = provider.callback();
  const pages = interactionPages(provider);
  return {
    issuer,
    answer: (request, response) => {
      const { pathname, search } = new URL(request.url ?? "/", issuer);
      const [, uid] = /^\/interaction\/([^/]+)/.exec(pathname) ?? [];
      if (uid !== undefined) {
        if (!logins.has(uid)) return false;
        void pages(request, response);
        return true;
      }
      const own =
        paths[pathname] ?? (pathname.startsWith(`${mount}/`) ? pathname.slice(mount.length) : undefined);
      if (own === undefined) return false;
      // It knows no such prompt: whoever chooses an account logs in.
      const query = search.replace("prompt=select_account", "prompt=login");
      Object.assign(request, { url: own + query, originalUrl: mount + own + query });
      void callback(request, response);
      return true;
    },
  };
}
