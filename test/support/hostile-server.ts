import type { IncomingMessage, ServerResponse } from "node:http";
import { startPlainServer } from "./plain-server.js";

/** One answer, as far as it differs from what an honest server says. */
export interface HostileAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  /** All of the answer, byte by byte. */
  readonly raw?: string;
}

export interface HostileServer {
  /** With the py-oidc-auth routes, and an issuer. */
  readonly host: string;
  /** Method, path and query of each request. */
  readonly requests: string[];
  /** Path (below the host, without a query) and what it answers from now on. */
  readonly answers: Map<string, HostileAnswer>;
  /** How many requests went to a path. */
  count(path: string): number;
}

export interface HostileOptions {
  /** What stands in each text of each answer, by the field's name. */
  readonly evil: (field: string) => string;
  readonly accessToken?: string;
}

/** A server that gives a token to anybody, and writes hostile text wherever there is room for text. */
export async function startHostileServer({ evil, accessToken }: HostileOptions): Promise<HostileServer> {
  const requests: string[] = [];
  const answers = new Map<string, HostileAnswer>();
  const usual = usualAnswers(evil, accessToken ?? "the-token");
  const port = await startPlainServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://server");
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    const answer = answers.get(url.pathname) ?? usual[url.pathname]?.(`http://127.0.0.1:${port}`, url);
    // Whoever closes a connection on which something still comes in may take back what they have sent.
    request
      .resume()
      .on("end", () => reply(request, response, answer ?? { status: 404, body: { detail: evil("detail") } }));
  });
  return {
    host: `http://127.0.0.1:${port}`,
    requests,
    answers,
    count: (path) => requests.filter((one) => one.split(" ")[1]?.split("?")[0] === path).length,
  };
}

function reply(request: IncomingMessage, response: ServerResponse, answer: HostileAnswer): void {
  if (answer.raw !== undefined) {
    request.socket.end(answer.raw);
    return;
  }
  const isText = typeof answer.body === "string";
  response.shouldKeepAlive = false;
  response.writeHead(answer.status ?? 200, {
    "content-type": isText ? "text/plain" : "application/json",
    ...answer.headers,
  });
  response.end(isText ? answer.body : JSON.stringify(answer.body));
}

type Usual = Readonly<Record<string, (host: string, url: URL) => HostileAnswer>>;

function usualAnswers(evil: (field: string) => string, accessToken: string): Usual {
  const address = (field: string) => {
    const part = encoded(evil(field));
    return `https://evil.example/${evil(field)}${part}?q=${evil(field)}#${evil(field)}`;
  };
  const claims = (host: string) => ({
    iss: host,
    aud: "cli",
    sub: evil("sub"),
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 3600,
    name: evil("name"),
    email: evil("email"),
    groups: [evil("groups"), { [evil("groups")]: evil("groups") }],
    roles: { [evil("roles")]: [evil("roles")] },
    preferred_username: evil("preferred_username"),
    [evil("claim")]: evil("claim"),
  });
  const token = (host: string) => ({
    body: {
      access_token: accessToken,
      token_type: "bearer",
      expires_in: 3600,
      refresh_token: `refresh ${evil("refresh_token")}`,
      scope: evil("scope"),
      id_token: unsignedJwt(claims(host)),
      message: evil("message"),
      [evil("member")]: { [evil("member")]: evil("member") },
    },
  });
  const device = () => ({
    body: {
      device_code: evil("device_code"),
      // As long as one may be: a longer one is refused.
      user_code: `AB-CD ${evil("user_code")}`.slice(0, 64),
      verification_uri: address("verification_uri"),
      verification_uri_complete: address("verification_uri_complete"),
      message: evil("message"),
      expires_in: 600,
      interval: 0.01,
    },
  });
  const person = (host: string) => ({
    body: { ...claims(host), [evil("claim")]: { [evil("claim")]: evil("claim") } },
  });
  return {
    "/auth/v2/login": (_host, { searchParams }) => {
      const state = ["random", searchParams.get("redirect_uri"), "verifier"].join("|");
      const location = new URL(address("location"));
      location.searchParams.set("state", state);
      return { status: 302, headers: { location: location.href }, body: evil("page") };
    },
    "/auth/v2/token": token,
    "/auth/v2/device": device,
    "/auth/v2/userinfo": person,
    "/auth/v2/auth-ports": () => ({
      body: { valid_ports: [evil("port"), null, 53_105, 53_105], detail: evil("detail") },
    }),
    "/.well-known/openid-configuration": (host) => ({ body: discovery(host, evil) }),
    "/token": token,
    "/device": device,
    "/userinfo": person,
    "/introspect": () => ({ body: { active: true, scope: evil("scope"), username: evil("username") } }),
    "/revoke": () => ({ body: evil("page") }),
  };
}

function discovery(host: string, evil: (field: string) => string): Record<string, unknown> {
  return {
    issuer: host,
    authorization_endpoint: `${host}/authorize?q=${encoded(evil("authorization_endpoint"))}`,
    token_endpoint: `${host}/token`,
    device_authorization_endpoint: `${host}/device`,
    userinfo_endpoint: `${host}/userinfo`,
    introspection_endpoint: `${host}/introspect`,
    revocation_endpoint: `${host}/revoke`,
    end_session_endpoint: `${host}/logout?${evil("end_session_endpoint")}`,
    jwks_uri: `${host}/jwks`,
    response_types_supported: ["code", evil("response_types_supported")],
    id_token_signing_alg_values_supported: ["ES256", evil("alg")],
    scopes_supported: ["openid", "offline_access", evil("scopes_supported")],
    service_documentation: evil("service_documentation"),
    op_policy_uri: evil("op_policy_uri"),
    [evil("member")]: evil("member"),
  };
}

/** Percent-encoded, with what is half a character made whole. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** A JWT whose signature nobody made: as a server hands it out over TLS it is not looked at. */
export function unsignedJwt(claims: object, header: object = { alg: "ES256" }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(claims)}.${Buffer.alloc(64).toString("base64url")}`;
}
