import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpServer, request as forward } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from "jose";
import { createCA, createCert } from "mkcert";
import pg from "pg";
import { startAuthServer } from "../../../src/testing/index.js";
import { readForm, sendJson } from "../../../src/testing/server/http.js";
import { startPostgres, startRedis } from "../../support/databases.js";
import { CLIENT_SECRET, namedIssuers, type StagedIssuer, stageIssuer } from "./issuers.js";
import { exchange, GITHUB_AUDIENCE } from "./job-grants.js";

/** The hosts that our pages name, as servers on this machine, and what programs need to find them. */
export interface World {
  /** Variables for a program that is to live in it. */
  readonly env: Readonly<Record<string, string>>;
  /** For curl, which is no program of Node's. */
  readonly curlrc: string;
  /** Whether there is a Redis. */
  readonly hasRedis: boolean;
  close(): Promise<void>;
}

/** Ports that the pages' settings name. */
const PORTS = [53_100, 53_101, 53_102, 53_103, 53_104, 53_105, 8750, 8751];
const NAMES = [
  ...["*.example.org", "login.microsoftonline.com", "*.okta.com", "*.eu.auth0.com", "*.zitadel.cloud"],
  ...["accounts.google.com", "sts.googleapis.com", "github.com", "api.github.com", "gitlab.com"],
  ...["pipelines.actions.githubusercontent.com"],
];

export async function startWorld(folder: string): Promise<World> {
  const [keys, tls, routes, postgres, redis] = await Promise.all([
    generateKeyPair("ES256", { extractable: true }),
    makeCertificates(),
    startAuthServer({ deviceInterval: 0.2, redirectPorts: PORTS, rotateRefreshTokens: false }),
    startPostgres(),
    startRedis(),
  ]);
  await makeDatabases(postgres.url);
  const jobJwk = { ...(await exportJWK(keys.publicKey)), alg: "ES256" };
  const sign = (audience: string, subject: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer("https://ci.example.org")
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(keys.privateKey);
  const issuers = await Promise.all(namedIssuers(jobJwk).map((named) => stageIssuer(named, keys.publicKey)));
  const services = otherServices(routes.host, keys.publicKey, sign);
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const host = request.headers.host ?? "";
    response.shouldKeepAlive = false;
    const known = (await services[host]?.(request, response)) || issuerOf(issuers, host, request, response);
    if (!known) response.writeHead(404).end();
  };
  const https = createServer(
    { ...tls.server, ca: tls.authority, requestCert: true, rejectUnauthorized: false },
    (request, response) => void answer(request, response),
  );
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
  const { port } = https.address() as AddressInfo;
  const proxy = createHttpServer().on("connect", (_request, socket, head) => {
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on("error", () => other.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const written = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const authority = written("ca.pem", tls.authority);
  const subjectToken = written("job-token", await sign("https://login.example.org", "a-pod"));
  const signingKey = await exportPKCS8(keys.privateKey);
  const files = {
    "/etc/ssl/company-ca.pem": authority,
    "/etc/ssl/client.pem": written("client.pem", tls.client.cert),
    "/etc/ssl/client.key": written("client.key", tls.client.key),
    "/run/secrets/client.pem": join(folder, "client.pem"),
    "/run/secrets/client.key": join(folder, "client.key"),
    "/run/secrets/client-key.pem": written("client-key.pem", signingKey),
    "/var/run/secrets/tokens/oidc": subjectToken,
  };
  const places: Record<string, number> = {
    "db.example.org:5432": Number(new URL(postgres.url).port),
    "proxy.example.org:3128": (proxy.address() as AddressInfo).port,
    ...(redis && { "redis.example.org:6379": Number(new URL(redis.url).port) }),
  };
  return {
    env: {
      DOCS_STAGE: JSON.stringify({ https: port, places, files }),
      NODE_EXTRA_CA_CERTS: authority,
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://pipelines.actions.githubusercontent.com/token?api-version=2",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-runner",
      OIDC_TOKEN: await sign("https://login.example.org", "a-job"),
      CLIENT_SECRET,
      GITHUB_CLIENT_SECRET: CLIENT_SECRET,
      GOOGLE_PRIVATE_KEY: signingKey,
      GOOGLE_PRIVATE_KEY_ID: "of-google",
      OTHER_TOKEN: await sign("https://login.example.org", "somebody"),
      PGUSER: "postgres",
      PGPASSWORD: "password",
      TOKEN_KEY: Buffer.alloc(32, 7).toString("base64"),
    },
    curlrc: `cacert = "${authority}"\nconnect-to = "::127.0.0.1:${port}"\n`,
    hasRedis: redis !== undefined,
    close: async () => {
      for (const server of [https, proxy]) {
        server.closeAllConnections();
        server.close();
      }
      await Promise.all([routes.close(), postgres.stop(), redis?.stop()]);
    },
  };
}

/** The databases and the user that the pages' addresses name. */
async function makeDatabases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE ROLE \"user\" SUPERUSER LOGIN PASSWORD 'password'");
  await client.query("CREATE DATABASE tokens");
  await client.query("CREATE DATABASE app");
  await client.end();
  const app = new pg.Client({ connectionString: url.replace(/postgres$/, "app") });
  await app.connect();
  await app.query("CREATE SCHEMA auth");
  await app.end();
}

async function makeCertificates() {
  const place = { organization: "Pages", countryCode: "DE", state: "HH", locality: "HH" };
  const ca = await createCA({ ...place, validity: 2 });
  const [server, client] = await Promise.all(
    [NAMES, ["service.example.org"]].map((domains) => createCert({ ca, domains, validity: 2 })),
  );
  if (!server || !client) throw new Error("There are no certificates.");
  return { authority: ca.cert, server, client };
}

function issuerOf(
  issuers: readonly StagedIssuer[],
  host: string,
  ...words: [IncomingMessage, ServerResponse]
): boolean {
  // The longest first: one may lie below another.
  return issuers
    .filter(({ issuer }) => new URL(issuer).host === host)
    .sort((a, b) => b.issuer.length - a.issuer.length)
    .some((one) => one.answer(...words));
}

/** Answers a request: says whether it did. */
type Service = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** What is no OpenID provider: a server with the routes, an API, GitHub's token service, token endpoints for jobs. */
function otherServices(
  routes: string,
  jobKey: Parameters<typeof exchange>[1],
  sign: (audience: string, subject: string) => Promise<string>,
): Readonly<Record<string, Service>> {
  const tokenEndpoint: Service = (request, response) => {
    void readForm(request)
      .then((form) => exchange(form, jobKey))
      .then(([status, body]) => sendJson(response, status, body));
    return true;
  };
  const api: Service = (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "https://api.example.org");
    if (pathname.startsWith("/.well-known/oauth-protected-resource")) {
      sendJson(response, 200, {
        resource: `https://api.example.org${pathname.slice("/.well-known/oauth-protected-resource".length)}`,
        authorization_servers: ["https://login.example.org"],
      });
    } else if (/^(Bearer|DPoP) \S+$/.test(request.headers.authorization ?? "")) {
      sendJson(response, 200, { data: { me: { name: "alice" } }, name: "alice", items: [] });
    } else {
      sendJson(response, 401, { error: "no token" }, { "www-authenticate": "Bearer" });
    }
    return true;
  };
  return {
    "auth.example.org": (request, response) => {
      // Below a path, too, and with a token route of another name: as the pages have it.
      const path = (request.url ?? "/")
        .replace(/^\/api\/app/, "")
        .replace(/^\/oauth\/token/, "/auth/v2/token");
      const { method = "GET", headers } = request;
      const onward = forward(routes + path, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
      return true;
    },
    "api.example.org": api,
    "api.github.com": api,
    "sts.googleapis.com": tokenEndpoint,
    "login.microsoftonline.com": async (request, response) => {
      if (request.method !== "POST" || !request.url?.endsWith("/token")) return false;
      await once(request, "readable");
      const form: Buffer | null = request.read();
      if (form) request.unshift(form);
      // A job's login by a federated credential: the provider that plays its part knows no such thing.
      return String(form).includes("client_assertion=") && tokenEndpoint(request, response);
    },
    "pipelines.actions.githubusercontent.com": (request, response) => {
      const url = new URL(request.url ?? "/", "https://pipelines.actions.githubusercontent.com");
      const audience = url.searchParams.get("audience") ?? GITHUB_AUDIENCE;
      void sign(audience, "repo:octo-org/octo-repo").then((value) => sendJson(response, 200, { value }));
      return true;
    },
  };
}
