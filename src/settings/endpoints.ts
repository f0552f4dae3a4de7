import { safeUrl } from "./address.js";
import { invalid, onlyKnown } from "./checks.js";

/** Endpoints by hand. With `token`, all of them: nothing is discovered. Without it, they add to what discovery says. */
export interface Endpoints {
  /** Where tokens are given (RFC 6749 §3.2). */
  token?: string | URL | undefined;
  /** The login page (RFC 6749 §3.1). */
  authorization?: string | URL | undefined;
  /** Where device codes are given (RFC 8628 §3.1). */
  deviceAuthorization?: string | URL | undefined;
  /** Who a token belongs to (OpenID Connect Core §5.3). */
  userinfo?: string | URL | undefined;
  /** What a token is worth (RFC 7662). */
  introspection?: string | URL | undefined;
  /** Where tokens are revoked (RFC 7009). */
  revocation?: string | URL | undefined;
  /** Where a browser ends the session (OpenID Connect RP-Initiated Logout §2). */
  endSession?: string | URL | undefined;
  /** Where the login's parameters are pushed to (RFC 9126). */
  pushedAuthorizationRequest?: string | URL | undefined;
  /** The keys that the server signs with (RFC 7517). */
  jwks?: string | URL | undefined;
}

/** The same by the names of server metadata (RFC 8414 §2). */
export type EndpointUrls = Readonly<Record<string, string>>;

const WIRE_NAMES: Readonly<Record<keyof Endpoints, string>> = {
  token: "token_endpoint",
  authorization: "authorization_endpoint",
  deviceAuthorization: "device_authorization_endpoint",
  userinfo: "userinfo_endpoint",
  introspection: "introspection_endpoint",
  revocation: "revocation_endpoint",
  endSession: "end_session_endpoint",
  pushedAuthorizationRequest: "pushed_authorization_request_endpoint",
  jwks: "jwks_uri",
};

/** @throws AuthError `invalid_config`, `insecure_host` */
export function endpointUrls(endpoints: Endpoints, allowInsecure: boolean): EndpointUrls {
  if (typeof endpoints !== "object" || endpoints === null) {
    throw invalid("endpoints", "must be an object of URLs", endpoints);
  }
  onlyKnown(endpoints, Object.keys(WIRE_NAMES), "endpoints");
  const urls: Record<string, string> = {};
  for (const [name, value] of Object.entries(endpoints)) {
    if (value === undefined) continue;
    urls[WIRE_NAMES[name as keyof Endpoints]] = safeUrl(value, allowInsecure, `endpoints.${name}`).href;
  }
  return Object.freeze(urls);
}
