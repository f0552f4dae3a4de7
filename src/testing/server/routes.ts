import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Broker } from "./broker.js";
import type { Controls } from "./controls.js";
import type { Route } from "./faults.js";
import { readForm, sendJson } from "./http.js";
import { detail, oauthError, type Reply, upstreamError } from "./oauth-error.js";
import { grantOf, TokenRoute } from "./token-route.js";
import type { Upstream } from "./upstream.js";

export interface RoutesOptions {
  readonly basePath: string;
  readonly upstream: Upstream;
  readonly broker: Broker | undefined;
  readonly controls: Controls;
  readonly authPorts: readonly number[] | undefined;
  /** Seconds; `undefined`: the device answer names none. */
  readonly deviceInterval: number | undefined;
  readonly deviceCodeLifetime: number;
  /** Seconds. */
  readonly refreshGracePeriod: number;
}

const SCOPES = ["openid", "profile", "email"];
const ROUTES: Readonly<Record<string, Route | "callback" | "logout" | "jwks">> = {
  "/auth/v2/login": "login",
  "/auth/v2/device": "device",
  "/auth/v2/token": "token",
  "/auth/v2/userinfo": "userinfo",
  "/auth/v2/callback": "callback",
  "/auth/v2/logout": "logout",
  "/auth/v2/auth-ports": "auth-ports",
  "/auth/v2/.well-known/jwks.json": "jwks",
  "/me": "me",
};
const METHODS: Readonly<Record<string, string>> = { device: "POST", token: "POST" };

/** The py-oidc-auth routes in front of a provider, answering as the FastAPI server does. */
export function routes(options: RoutesOptions): RequestListener {
  const { controls, upstream, broker, refreshGracePeriod } = options;
  const tokenRoute = new TokenRoute(upstream, broker, refreshGracePeriod);
  return (request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end("Internal Server Error");
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://demo");
    const path = url.pathname.startsWith(options.basePath) ? url.pathname.slice(options.basePath.length) : "";
    const route = ROUTES[path];
    const form = request.method === "POST" ? await readForm(request) : new URLSearchParams();
    controls.log(request.method ?? "", url.pathname, [...url.searchParams.keys(), ...form.keys()]);
    if (!route || (route === "jwks" && !broker)) return reply(response, detail(404, "Not Found"));
    const method = METHODS[route] ?? "GET";
    if (request.method !== method) {
      const { status, body } = detail(405, "Method Not Allowed");
      return sendJson(response, status, body, { allow: method });
    }
    const grant = route === "token" ? grantOf(form) : undefined;
    if (!(await controls.admit(route as Route, grant, response))) return;
    if (route === "login") return login(url, response);
    if (route === "logout") return logout(url, response);
    if (route === "token") return reply(response, await token(form));
    if (route === "device") return reply(response, await device());
    if (route === "userinfo" || route === "me") return person(request, response, route);
    if (route === "jwks") return sendJson(response, 200, await broker?.jwks());
    if (route === "callback") return reply(response, await callback(url));
    if (!options.authPorts) return reply(response, detail(404, "Not Found"));
    sendJson(response, 200, { valid_ports: options.authPorts });
  }

  async function login(url: URL, response: ServerResponse): Promise<void> {
    const redirectUri = url.searchParams.get("redirect_uri");
    if (!redirectUri) return reply(response, detail(400, "Missing redirect_uri"));
    const scopes = new Set(url.searchParams.get("scope")?.split(" ").filter(Boolean) ?? SCOPES);
    if (url.searchParams.get("offline_access") === "true") scopes.add("offline_access");
    // The real server keeps them in a set: their order is random.
    const shuffled = [...scopes].sort(() => Math.random() - 0.5).join(" ");
    const target = await upstream.authorizationUrl(redirectUri, shuffled, url.searchParams.get("prompt"));
    response.writeHead(307, { location: target.href }).end();
  }

  async function logout(url: URL, response: ServerResponse): Promise<void> {
    const back = url.searchParams.get("post_logout_redirect_uri");
    const target = new URL(String((await upstream.discovery())["end_session_endpoint"]));
    if (back) target.searchParams.set("post_logout_redirect_uri", back);
    response.writeHead(307, { location: target.href }).end();
  }

  /** For web apps, which let the server redeem the code: all it needs is in `state`. */
  async function callback(url: URL): Promise<Reply> {
    const code = url.searchParams.get("code");
    const [, redirectUri, verifier] = (url.searchParams.get("state") ?? "").split("|");
    if (!code || !redirectUri || !verifier) return detail(400, "Missing code or state");
    return token(new URLSearchParams({ code, redirect_uri: redirectUri, code_verifier: verifier }));
  }

  async function device(): Promise<Reply> {
    const endpoint = await upstream.discovery().then(
      (found) => found["device_authorization_endpoint"],
      () => undefined,
    );
    if (typeof endpoint !== "string") {
      return detail(502, "OIDC endpoint 'device_authorization_endpoint' not found in discovery.");
    }
    const scope = [...SCOPES, "offline_access"].join(" ");
    const answer = await upstream.post(endpoint, { scope, prompt: "consent" });
    if (answer.status !== 200) return upstreamError(answer.text, controls.errorShape);
    const body = JSON.parse(answer.text) as Record<string, unknown>;
    const interval = options.deviceInterval === undefined ? {} : { interval: options.deviceInterval };
    return { status: 200, body: { ...body, expires_in: options.deviceCodeLifetime, ...interval } };
  }

  async function token(form: URLSearchParams): Promise<Reply> {
    const code = form.get("device-code");
    if (code !== null && controls.isTooQuick(code))
      return oauthError("slow_down", "You are polling too quickly.", controls.errorShape);
    const outcome = await tokenRoute.answer(form, controls.errorShape);
    if (outcome.status === 200 && form.has("refresh-token")) controls.count("refreshes");
    return outcome;
  }

  async function person(
    request: IncomingMessage,
    response: ServerResponse,
    route: "userinfo" | "me",
  ): Promise<void> {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    const bearer = scheme === "Bearer" && token ? token : undefined;
    let name: string | undefined;
    try {
      if (bearer !== undefined) name = await nameOf(bearer);
    } catch (error) {
      // Nobody can say whether the token is good: a 401 would send its owner to a login for nothing.
      const reason = error instanceof Error ? error.message : "?";
      return reply(response, detail(502, `Failed to contact OIDC endpoint: ${reason}`));
    }
    if (name !== undefined) {
      const claims = { username: name, email: `${name}@example.org` };
      const names = { first_name: name, last_name: "", pw_name: name };
      return sendJson(response, 200, route === "me" ? claims : { ...claims, ...names });
    }
    const challenge = bearer === undefined ? "Bearer" : 'Bearer error="invalid_token"';
    // FastAPI's way on its own routes, where others say 401.
    const status = route === "userinfo" && bearer === undefined ? 403 : 401;
    sendJson(response, status, { detail: "Not authenticated" }, { "www-authenticate": challenge });
  }

  async function nameOf(token: string): Promise<string | undefined> {
    if (broker) return broker.verify(token);
    const claims = await upstream.userinfo(token);
    return claims === undefined ? undefined : String(claims["sub"]);
  }
}

function reply(response: ServerResponse, { status, body }: Reply): void {
  sendJson(response, status, body);
}
