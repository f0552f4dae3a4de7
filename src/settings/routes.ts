import { serverAddress } from "./address.js";
import { boolean, invalid, onlyKnown } from "./checks.js";
import { COMMON_NAMES, type CommonOptions, type CommonSettings, commonSettings } from "./common.js";

/** The redirect ports that py-oidc-auth deployments register at their provider. */
export const DEFAULT_REDIRECT_PORTS: readonly number[] = [53100, 53101, 53102, 53103, 53104, 53105];

/** Where py-oidc-auth serves its routes, below the host. */
export const DEFAULT_ROUTES = {
  loginRoute: "/auth/v2/login",
  tokenRoute: "/auth/v2/token",
  deviceRoute: "/auth/v2/device",
  portsRoute: "/auth/v2/auth-ports",
  userinfoRoute: "/auth/v2/userinfo",
  logoutRoute: "/auth/v2/logout",
} as const;

/** Settings of a server with the py-oidc-auth routes, beside its host. */
export interface RouteOptions extends CommonOptions {
  /** Path of the login route, below the host. Default `/auth/v2/login`. */
  loginRoute?: string | undefined;
  /** Path of the token route. Default `/auth/v2/token`. */
  tokenRoute?: string | undefined;
  /** Path of the device route. Default `/auth/v2/device`. */
  deviceRoute?: string | undefined;
  /** Path of the route that lists the registered redirect ports. Default `/auth/v2/auth-ports`. */
  portsRoute?: string | undefined;
  /** Path of the route that tells who a token belongs to. Default `/auth/v2/userinfo`. */
  userinfoRoute?: string | undefined;
  /** Path of the logout route. Default `/auth/v2/logout`. */
  logoutRoute?: string | undefined;
  /** Whether a refresh token is asked for (`offline_access`). Default true. */
  offlineAccess?: boolean | undefined;
}

/** A server with the py-oidc-auth routes. */
export interface RoutesInit extends RouteOptions {
  /** Address of the server, with its path if it has one; https where no scheme is given. */
  host: string | URL;
}

/** {@link RoutesInit}, checked. */
export interface RoutesSettings extends CommonSettings {
  readonly kind: "routes";
  readonly host: string;
  readonly loginUrl: URL;
  readonly tokenUrl: URL;
  readonly deviceUrl: URL;
  readonly portsUrl: URL;
  readonly userinfoUrl: URL;
  readonly logoutUrl: URL;
  readonly offlineAccess: boolean;
}

const NAMES = [...COMMON_NAMES, ...Object.keys(DEFAULT_ROUTES), "host", "offlineAccess"];

/** @throws AuthError `invalid_config`, `insecure_host` */
export function routesSettings(init: RoutesInit): RoutesSettings {
  onlyKnown(init, NAMES, "a server with the py-oidc-auth routes");
  const common = commonSettings(init);
  const host = serverAddress(init.host, common.allowInsecureHost);
  const routeUrl = (field: keyof typeof DEFAULT_ROUTES) =>
    new URL(host + route(field, init[field] ?? DEFAULT_ROUTES[field]));
  return Object.freeze({
    ...common,
    kind: "routes",
    host,
    loginUrl: routeUrl("loginRoute"),
    tokenUrl: routeUrl("tokenRoute"),
    deviceUrl: routeUrl("deviceRoute"),
    portsUrl: routeUrl("portsRoute"),
    userinfoUrl: routeUrl("userinfoRoute"),
    logoutUrl: routeUrl("logoutRoute"),
    offlineAccess: boolean("offlineAccess", init.offlineAccess, true),
  });
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
