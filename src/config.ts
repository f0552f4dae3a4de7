import { AuthError } from "./errors.js";
import { cleanText } from "./text.js";

/** The redirect ports that py-oidc-auth deployments register at their provider. */
export const DEFAULT_REDIRECT_PORTS: readonly number[] = [53100, 53101, 53102, 53103, 53104, 53105];

/** Where py-oidc-auth serves its routes, below the host. */
export const DEFAULT_ROUTES = {
  loginRoute: "/auth/v2/login",
  tokenRoute: "/auth/v2/token",
  deviceRoute: "/auth/v2/device",
  portsRoute: "/auth/v2/auth-ports",
} as const;

/** What the login page is asked to do (OpenID Connect Core §3.1.2.1). */
export type Prompt = "none" | "login" | "consent" | "select_account";

const PROMPTS: readonly Prompt[] = ["none", "login", "consent", "select_account"];

/** Settings of a server with the py-oidc-auth routes, beside its host. */
export interface RouteOptions {
  /** Path of the login route, below the host. Default `/auth/v2/login`. */
  loginRoute?: string | undefined;
  /** Path of the token route. Default `/auth/v2/token`. */
  tokenRoute?: string | undefined;
  /** Path of the device route. Default `/auth/v2/device`. */
  deviceRoute?: string | undefined;
  /** Path of the route that lists the registered redirect ports. Default `/auth/v2/auth-ports`. */
  portsRoute?: string | undefined;
  /**
   * Ports on which the browser may come back, tried in order. They must be registered at the provider as
   * `http://localhost:<port>/callback`. Default: what the server lists, else 53100 to 53105.
   */
  redirectPorts?: readonly number[] | undefined;
  /** What the login page is asked to do. Default `consent`, which most providers need for a refresh token. */
  prompt?: Prompt | undefined;
  /** Whether a refresh token is asked for (`offline_access`). Default true. */
  offlineAccess?: boolean | undefined;
  /** Scopes to ask for. Default: what the server is set up with. */
  scopes?: readonly string[] | undefined;
  /** Allows plain http to a host that is not this machine: tokens then travel in the clear. Default false. */
  allowInsecureHost?: boolean | undefined;
}

/** What a {@link Config} is made from. */
export interface ConfigInit extends RouteOptions {
  /** Address of the server, with its path if it has one; https where no scheme is given. */
  host: string | URL;
}

/** Whom we ask for tokens: a server and how to talk to it. Checked once, then frozen; does no I/O. */
export class Config {
  /** The server's address: scheme, host name in lower case, port unless default, path without a last slash. */
  readonly host: string;
  readonly loginUrl: URL;
  readonly tokenUrl: URL;
  readonly deviceUrl: URL;
  readonly portsUrl: URL;
  /** As given; `undefined` where the server is to be asked. */
  readonly redirectPorts: readonly number[] | undefined;
  readonly prompt: Prompt;
  readonly offlineAccess: boolean;
  readonly scopes: readonly string[] | undefined;
  readonly allowInsecureHost: boolean;

  /** @throws AuthError `invalid_config` (naming field and value), `insecure_host` */
  constructor(init: ConfigInit) {
    const known: Record<keyof ConfigInit, true> = {
      host: true,
      loginRoute: true,
      tokenRoute: true,
      deviceRoute: true,
      portsRoute: true,
      redirectPorts: true,
      prompt: true,
      offlineAccess: true,
      scopes: true,
      allowInsecureHost: true,
    };
    for (const name of Object.keys(init)) {
      if (!Object.hasOwn(known, name)) throw invalid(name, "is not a known setting", undefined);
    }
    this.allowInsecureHost = boolean("allowInsecureHost", init.allowInsecureHost, false);
    this.host = serverAddress(init.host, this.allowInsecureHost);
    const routeUrl = (field: keyof typeof DEFAULT_ROUTES) =>
      new URL(this.host + route(field, init[field] ?? DEFAULT_ROUTES[field]));
    this.loginUrl = routeUrl("loginRoute");
    this.tokenUrl = routeUrl("tokenRoute");
    this.deviceUrl = routeUrl("deviceRoute");
    this.portsUrl = routeUrl("portsRoute");
    this.redirectPorts = init.redirectPorts === undefined ? undefined : ports(init.redirectPorts);
    this.prompt = oneOf("prompt", init.prompt, PROMPTS, "consent");
    this.offlineAccess = boolean("offlineAccess", init.offlineAccess, true);
    this.scopes = init.scopes === undefined ? undefined : scopes(init.scopes);
    Object.freeze(this);
  }

  /** Makes a Config of whatever a caller may name a server by. */
  static from(target: string | URL | Config | ConfigInit, options: RouteOptions = {}): Config {
    if (target instanceof Config) {
      const given = Object.entries(options).find(([, value]) => value !== undefined);
      if (given)
        throw invalid(given[0], "cannot be given beside a Config: put it into the Config", undefined);
      return target;
    }
    const init = typeof target === "object" && !(target instanceof URL) ? target : { host: target };
    return new Config({ ...init, ...dropUndefined(options) });
  }
}

/**
 * The normal form of a server's address: scheme and host in lower case, no default port, no credentials, query or
 * fragment, no slash at the end. A missing scheme is read as https, and as http for this machine's own names.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function serverAddress(host: string | URL, allowInsecure: boolean): string {
  const url = parseHost(host);
  if (url.protocol === "http:" && !allowInsecure && !isLoopback(url.hostname)) {
    throw new AuthError(
      "insecure_host",
      `host is "${cleanText(url.origin)}": over plain http a token can be read on the way.`,
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The address as a URL, whatever its scheme's safety: for look-ups in the store, which sends nothing. */
export function parseHost(host: string | URL): URL {
  if (typeof host !== "string" && !(host instanceof URL)) {
    throw invalid("host", "must be an absolute http(s) URL", host);
  }
  const given = typeof host === "string" ? host.trim() : host.href;
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `https://${given}`;
  const url = URL.canParse(withScheme) && given !== "" ? new URL(withScheme) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.hostname === "") {
    throw invalid(
      "host",
      "must be an absolute http(s) URL, such as https://auth.example.org",
      withoutCredentials(given),
    );
  }
  return url;
}

/** Whether a host name can only mean this machine (RFC 6761 §6.3 for `localhost`). */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//");
}

/** A route as a path with exactly one slash in front. */
function route(field: string, value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") throw invalid(field, "must be a path", value);
  const path = `/${value.trim().replace(/^\/+/, "")}`;
  if (/[\s\u0000-\u001f\\]|:\/\//.test(path) || path.includes("#") || path.split(/[/?]/).includes("..")) {
    throw invalid(field, "must be a path below the host, such as /auth/v2/token", value);
  }
  return path;
}

function ports(value: readonly number[]): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid("redirectPorts", "must be a list of at least one port", value);
  }
  for (const port of value) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw invalid("redirectPorts", "must hold whole numbers from 1 to 65535", port);
    }
  }
  return Object.freeze([...new Set(value)]);
}

function scopes(value: readonly string[]): readonly string[] {
  // RFC 6749 §3.3: visible ASCII without blank, quote and backslash.
  const bad = Array.isArray(value)
    ? value.find((scope) => typeof scope !== "string" || !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
    : value;
  if (bad !== undefined) throw invalid("scopes", "must be a list of scope names", bad);
  return Object.freeze([...value]);
}

function boolean(field: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw invalid(field, "must be true or false", value);
  return value;
}

/** Checks that an option is one of the allowed words. */
export function oneOf<T extends string>(
  field: string,
  value: unknown,
  allowed: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback;
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw invalid(field, `must be one of ${allowed.join(", ")}`, value);
  return found;
}

/** The error for a wrong argument: names the field and the value. */
export function invalid(field: string, what: string, value: unknown): AuthError {
  const shown = value === undefined ? "" : ` (it is ${cleanText(describe(value), 120)})`;
  return new AuthError("invalid_config", `${field} ${what}${shown}.`);
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}

/** An object without its undefined members, so that spreading it over another one keeps that one's values. */
export function dropUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
