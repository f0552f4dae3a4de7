import type { IssuerSettings } from "../settings/issuer.js";
import { DEFAULT_REDIRECT_PORTS } from "../settings/routes.js";
import type { RedirectPlan } from "./auth-server.js";
import type { Discovery } from "./discovery.js";

/** What a person's login asks for where nothing is said: who they are, and a refresh token. */
const DEFAULT_SCOPES = ["openid", "offline_access"];

/**
 * The scopes of a person's login: as set, else the usual ones as far as the provider knows them, and what the API asks for.
 */
export function loginScopes(
  settings: IssuerSettings,
  discovery: Discovery,
  ofApi: readonly string[] = [],
): readonly string[] {
  if (settings.scopes) return settings.scopes;
  return [...new Set([...usualScopes(discovery), ...ofApi])];
}

function usualScopes({ document, algorithm }: Discovery): readonly string[] {
  const supported: unknown = document["scopes_supported"];
  // A list of nothing says nothing.
  if (Array.isArray(supported) && supported.some((scope) => typeof scope === "string" && scope !== ""))
    return DEFAULT_SCOPES.filter((scope) => supported.includes(scope));
  // A server that is no OpenID provider would refuse the name.
  return algorithm === "oidc" ? DEFAULT_SCOPES : [];
}

/** Where the browser may come back to: by default any free port, as native programs may (RFC 8252 §7.3). */
export function redirectPlan(settings: IssuerSettings, registered: boolean): RedirectPlan {
  const { redirectUri } = settings;
  // A server that compares letter by letter must have been told each port.
  const ports = settings.redirectPorts ?? (registered ? DEFAULT_REDIRECT_PORTS : undefined);
  const uri = redirectUri ?? `http://${settings.redirectPorts ? "localhost" : "127.0.0.1"}/callback`;
  return { uri, ports: ports ?? [Number(new URL(uri).port)] };
}

/** Whom the token is for (RFC 8707 §2; `audience` as Auth0 and others have it). */
export function targetParameters({ resource, audience }: IssuerSettings): Record<string, string> {
  return { ...(resource !== undefined && { resource }), ...(audience !== undefined && { audience }) };
}

/** The parameters of the login page that the caller decides (OpenID Connect Core §3.1.2.1). */
export function loginParameters(settings: IssuerSettings, scopes: readonly string[]): Record<string, string> {
  const { prompt, loginHint, maxAge, acrValues, parameters } = settings;
  // OpenID Connect Core §11 wants consent for a refresh token; without one there is nothing to ask consent for anew.
  const asked = prompt === "consent" && !scopes.includes("offline_access") ? false : prompt;
  return {
    ...scopeParameter(scopes),
    ...(asked !== false && { prompt: asked }),
    ...(loginHint !== undefined && { login_hint: loginHint }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
    ...(acrValues && { acr_values: acrValues.join(" ") }),
    ...targetParameters(settings),
    ...parameters,
  };
}

/** The scopes of a request; none where there are none. */
export function scopeParameter(scopes: readonly string[]): Record<string, string> {
  return scopes.length > 0 ? { scope: scopes.join(" ") } : {};
}
