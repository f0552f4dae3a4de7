import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { onTestFinished } from "vitest";
import type { Taint } from "./taint.js";

/** One request, as it came. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly form: URLSearchParams;
}

/** What is answered. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Does something else than answering, or answers something else: see tainted-faults.ts. */
export type Fault = (
  seen: Seen,
  raw: { readonly request: IncomingMessage; readonly response: ServerResponse },
  /** What would be answered. */
  proper: () => Promise<Reply>,
) => Promise<Reply | undefined>;

export interface TaintedServer {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** The next request to one of the paths meets a fault, once. */
  fault(paths: RegExp, fault: Fault): void;
  /** Resolves when a fault has been met. */
  readonly faulty: Promise<void>;
  /** How many faults were not met. */
  faultsLeft(): number;
  /** Resolves when somebody asks for a path, or has. */
  asked(path: string): Promise<void>;
}

/** A grant that was begun in the browser: what the callback and the id token repeat. */
interface Begun {
  readonly nonce: string | null;
  readonly clientId: string;
}

/**
 * An OpenID provider, a server with the py-oidc-auth routes, an API and a token service of AWS in one, whose every secret
 * is marked. It checks nothing: what counts here is only where its secrets go.
 */
export async function startTaintedServer(taint: Taint): Promise<TaintedServer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", use: "sig", kid: "k" }] };
  const seen: Seen[] = [];
  const planned: { paths: RegExp; fault: Fault }[] = [];
  let met: () => void = () => {};
  const faulty = new Promise<void>((resolve) => {
    met = resolve;
  });
  const asked = new EventEmitter();
  const begun = new Map<string, Begun>();
  const pushed = new Map<string, URLSearchParams>();
  let polls = 0;
  let url = "";

  const jwt = (claims: Record<string, unknown>, audience: string) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", kid: "k" })
      .setIssuer(url)
      .setAudience(audience)
      .setSubject("alice")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);

  const idToken = async (nonce: string | null, clientId: string) => {
    const claims = { jti: taint.make("id token"), name: "alice", ...(nonce !== null && { nonce }) };
    return taint.add("id token", await jwt(claims, clientId));
  };

  const tokens = async ({ headers, form }: Seen, { nonce, clientId }: Begun): Promise<Reply> =>
    json(200, {
      access_token: taint.token("access token"),
      refresh_token: taint.token("refresh token"),
      id_token: await idToken(nonce, clientId),
      token_type: headers["dpop"] === undefined ? "Bearer" : "DPoP",
      expires_in: 3600,
      scope: form.get("scope") ?? "openid",
    });

  const token = async (one: Seen): Promise<Reply> => {
    const { form, headers } = one;
    for (const name of ["code_verifier", "client_assertion", "assertion"])
      taint.add(name, form.get(name) ?? "");
    taint.add("DPoP proof", String(headers["dpop"] ?? ""));
    const device = form.get("device_code") ?? form.get("device-code");
    if (device !== null && polls++ === 0) return json(400, { error: "authorization_pending" });
    const clientId = form.get("client_id") ?? basicId(headers.authorization) ?? "cli";
    return tokens(one, begun.get(form.get("code") ?? "") ?? { nonce: null, clientId });
  };

  const device = (): Reply =>
    json(200, {
      device_code: taint.token("device code"),
      user_code: "ABCD-EFGH",
      verification_uri: `${url}/device`,
      expires_in: 600,
      interval: 0.05,
    });

  const authorize = async ({ url: asked }: Seen): Promise<Reply> => {
    const parameters = pushed.get(asked.searchParams.get("request_uri") ?? "") ?? asked.searchParams;
    const [state, nonce] = [parameters.get("state") ?? "", parameters.get("nonce")];
    taint.add("nonce", nonce ?? "");
    if (!state.includes("|")) taint.add("state", state);
    const code = taint.make("authorization code");
    const clientId = parameters.get("client_id") ?? "cli";
    begun.set(code, { nonce, clientId });
    const back = new URL(parameters.get("redirect_uri") ?? "");
    const answer = { code, state, iss: url };
    if (parameters.get("response_mode") === "jwt") {
      back.searchParams.set("response", await jwt(answer, clientId));
    } else for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
    return { status: 302, headers: { location: back.href } };
  };

  /** As the routes do it: the verifier is in the state. */
  const login = ({ url: asked }: Seen): Reply => {
    const back = asked.searchParams.get("redirect_uri") ?? "";
    const verifier = taint.token("code_verifier");
    const target = new URL(`${url}/authorize?response_type=code&client_id=demo`);
    target.searchParams.set("redirect_uri", back);
    target.searchParams.set("state", `${taint.make("state", "-")}|${back}|${verifier}`);
    target.searchParams.set("nonce", taint.make("nonce", "-"));
    return { status: 307, headers: { location: target.href } };
  };

  const par = ({ form }: Seen): Reply => {
    const uri = `urn:ietf:params:oauth:request_uri:${taint.make("request_uri", "-")}`;
    pushed.set(uri, form);
    return json(201, { request_uri: uri, expires_in: 60 });
  };

  const register = (): Reply =>
    json(201, {
      client_id: "registered",
      client_secret: taint.make("registered client secret"),
      client_secret_expires_at: 0,
      registration_access_token: taint.token("registration access token"),
      registration_client_uri: `${url}/register/1`,
      token_endpoint_auth_method: "client_secret_basic",
    });

  const github = async (): Promise<Reply> => {
    const claims = { jti: taint.make("subject token") };
    return json(200, { value: taint.add("subject token", await jwt(claims, "github")) });
  };

  const sts = (): Reply => {
    const secret = (name: string) => taint.make(`AWS ${name}`, "-");
    return {
      status: 200,
      headers: { "content-type": "text/xml" },
      body: `<R><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>${secret("secret key")}</SecretAccessKey><SessionToken>${secret("session token")}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></R>`,
    };
  };

  const person = { sub: "alice", name: "alice", username: "alice" };
  const answers: Readonly<Record<string, (one: Seen) => Reply | Promise<Reply>>> = {
    "/.well-known/openid-configuration": () => json(200, metadata(url)),
    "/.well-known/oauth-protected-resource/api": () =>
      json(200, { resource: `${url}/api`, authorization_servers: [url] }),
    "/jwks": () => json(200, keys),
    "/authorize": authorize,
    "/par": par,
    "/device-authorization": device,
    "/token": token,
    "/userinfo": () => json(200, person),
    "/introspect": () => json(200, { active: true }),
    "/revoke": () => ({ status: 200 }),
    "/register": register,
    "/auth/v2/login": login,
    "/auth/v2/device": device,
    "/auth/v2/token": token,
    "/auth/v2/userinfo": () => json(200, person),
    "/api": ({ headers }) => (headers.authorization ? json(200, { ok: true }) : { status: 401 }),
    "/github": github,
    "/sts": sts,
  };

  const server = createServer(async (request, response) => {
    response.shouldKeepAlive = false;
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const one: Seen = {
      method: request.method ?? "",
      url: new URL(request.url ?? "/", url),
      headers: request.headers,
      body,
      form: new URLSearchParams(body),
    };
    seen.push(one);
    asked.emit(one.url.pathname);
    const proper = async () => (await answers[one.url.pathname]?.(one)) ?? json(404, { detail: "Not Found" });
    const at = planned.findIndex(({ paths }) => paths.test(one.url.pathname));
    const [plan] = at < 0 ? [] : planned.splice(at, 1);
    const reply = plan ? await plan.fault(one, { request, response }, proper) : await proper();
    if (plan) met();
    if (reply) response.writeHead(reply.status, reply.headers).end(reply.body);
  });
  // As a proxy it wants another password, and repeats the one that it got.
  server.on("connect", ({ headers }, socket) => {
    const sent = String(headers["proxy-authorization"]);
    socket.end(`HTTP/1.1 407 ${sent}\r\nProxy-Authenticate: Basic realm="${sent}"\r\n\r\n${sent}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, seen, faulty },
    fault: (paths, fault) => void planned.push({ paths, fault }),
    faultsLeft: () => planned.length,
    asked: async (path) => {
      if (!seen.some((one) => one.url.pathname === path)) await once(asked, path);
    },
  };
}

function json(status: number, body: unknown): Reply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function basicId(authorization = ""): string | undefined {
  const pair = Buffer.from(authorization.replace(/^basic /i, ""), "base64").toString();
  return /^basic /i.test(authorization) ? decodeURIComponent(pair.split(":")[0] ?? "") : undefined;
}

function metadata(url: string): Record<string, unknown> {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    device_authorization_endpoint: `${url}/device-authorization`,
    pushed_authorization_request_endpoint: `${url}/par`,
    userinfo_endpoint: `${url}/userinfo`,
    introspection_endpoint: `${url}/introspect`,
    revocation_endpoint: `${url}/revoke`,
    registration_endpoint: `${url}/register`,
    end_session_endpoint: `${url}/end-session`,
    jwks_uri: `${url}/jwks`,
    response_types_supported: ["code"],
    scopes_supported: ["openid", "offline_access"],
    id_token_signing_alg_values_supported: ["ES256"],
    authorization_signing_alg_values_supported: ["ES256"],
    code_challenge_methods_supported: ["S256"],
    dpop_signing_alg_values_supported: ["ES256"],
    authorization_response_iss_parameter_supported: true,
  };
}
