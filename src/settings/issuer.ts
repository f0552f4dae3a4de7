import { safeUrl } from "./address.js";
import { boolean, invalid, oneOf, onlyKnown, parameterMap, secret, text } from "./checks.js";
import {
  CLIENT_AUTH_NAMES,
  type ClientAuthOptions,
  type ClientAuthSettings,
  clientAuthSettings,
} from "./client-auth.js";
import { COMMON_NAMES, type CommonOptions, type CommonSettings, commonSettings } from "./common.js";
import { type Endpoints, type EndpointUrls, endpointUrls } from "./endpoints.js";

/** Settings of an OpenID provider or OAuth authorization server. */
export interface IssuerOptions extends CommonOptions, ClientAuthOptions {
  /** Name under which this program is registered there. Where it is missing, it registers itself (RFC 7591). */
  clientId?: string | undefined;
  /**
   * Where discovery says nothing (GitHub) or not all (GitLab's device flow): endpoints by hand. With a token endpoint
   * among them nothing is discovered.
   */
  endpoints?: Endpoints | undefined;
  /**
   * Where the browser comes back to, on this machine. Without a port any free one is used (RFC 8252 §7.3); Entra wants
   * `http://localhost`. Default `http://127.0.0.1/callback`; `http://localhost/callback` together with `redirectPorts`.
   */
  redirectUri?: string | URL | undefined;
  /** Who is expected to log in, such as an e-mail address (`login_hint`, OpenID Connect Core §3.1.2.1). */
  loginHint?: string | undefined;
  /** Longest time in seconds since the person last logged in at the provider (`max_age`). */
  maxAge?: number | undefined;
  /** Wanted strengths of the login, best first (`acr_values`). */
  acrValues?: readonly string[] | undefined;
  /** The API that the token is for (RFC 8707). Alone, without an issuer, it is asked who gives tokens for it (RFC 9728). */
  resource?: string | URL | undefined;
  /** The same in the way of Auth0 and others. */
  audience?: string | undefined;
  /** Further parameters of the login page, such as Google's `access_type: "offline"`. */
  parameters?: Readonly<Record<string, string>> | undefined;
  /** Whether the login's parameters are pushed to the provider first (RFC 9126). Default: where it requires that. */
  pushedAuthorizationRequests?: boolean | undefined;
  /** Whether tokens are bound to a key of ours (RFC 9449). Default false. */
  dpop?: boolean | undefined;
  /** `jwt`: the provider signs what it sends back through the browser (JARM). Default `query`. */
  responseMode?: "query" | "jwt" | undefined;
  /** The algorithm that id tokens are signed with, where it is another than what the provider announces. */
  idTokenSigningAlg?: string | undefined;
  /**
   * JWK, or PKCS #8 in PEM, that encrypted id tokens and userinfo answers are opened with. A JWK may name the `kid` and
   * `alg` under which the provider knows it, which it needs where the provider says them.
   */
  decryptionKey?: string | Readonly<Record<string, unknown>> | undefined;
  /** Lets a client register where that needs a token (RFC 7591 §3). */
  initialAccessToken?: string | undefined;
  /** The name that a client registers under. Default `oidc-auth-client`. */
  clientName?: string | undefined;
}

/** An OpenID provider, or an OAuth authorization server. */
export interface IssuerInit extends IssuerOptions {
  /** Its issuer identifier, as in its discovery document. */
  issuer: string | URL;
}

/** An API that says itself who gives tokens for it (RFC 9728). */
export interface ResourceInit extends IssuerOptions {
  /** Its address, such as `https://api.example.org/mcp`. */
  resource: string | URL;
  /** Default: the one that the API names first, and as long as it is named the one that the stored login is of. */
  issuer?: string | URL | undefined;
}

/** {@link IssuerInit} or {@link ResourceInit}, checked. */
export interface IssuerSettings extends CommonSettings, ClientAuthSettings {
  readonly kind: "issuer";
  /** As given: providers compare it letter by letter. Absent where the resource is to be asked. */
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly endpoints: EndpointUrls | undefined;
  /** As given: providers compare it letter by letter. */
  readonly redirectUri: string | undefined;
  readonly loginHint: string | undefined;
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[] | undefined;
  readonly resource: string | undefined;
  readonly audience: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly pushedAuthorizationRequests: boolean | undefined;
  readonly dpop: boolean;
  readonly responseMode: "query" | "jwt";
  readonly idTokenSigningAlg: string | undefined;
  readonly decryptionKey: string | Readonly<Record<string, unknown>> | undefined;
  readonly initialAccessToken: string | undefined;
  readonly clientName: string;
}

const NAMES: readonly string[] = [
  ...COMMON_NAMES,
  ...CLIENT_AUTH_NAMES,
  ...[
    "issuer",
    "clientId",
    "endpoints",
    "redirectUri",
    "loginHint",
    "maxAge",
    "acrValues",
    "resource",
    "audience",
  ],
  ...[
    "parameters",
    "pushedAuthorizationRequests",
    "dpop",
    "responseMode",
    "idTokenSigningAlg",
    "decryptionKey",
  ],
  ...["initialAccessToken", "clientName"],
];

/** Parameters that this library sets itself: theirs is the safety of the login. */
const OWN_PARAMETERS = [
  ...[
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
  ],
  ...["request_uri", "response_mode", "response_type", "state"],
];

/** @throws AuthError `invalid_config`, `insecure_host` */
export function issuerSettings(init: IssuerInit | ResourceInit): IssuerSettings {
  onlyKnown(init, NAMES, "an issuer");
  const common = commonSettings(init);
  const insecure = common.allowInsecureHost;
  const issuer = init.issuer === undefined ? undefined : identifier("issuer", init.issuer, insecure);
  const resource = init.resource === undefined ? undefined : identifier("resource", init.resource, insecure);
  if (issuer === undefined && resource === undefined) throw invalid("issuer", "is missing", undefined);
  const parameters = parameterMap("parameters", init.parameters);
  const taken = OWN_PARAMETERS.find((name) => Object.hasOwn(parameters, name));
  if (taken)
    throw invalid(`parameters.${taken}`, "is set by the login itself and cannot be given", undefined);
  const settings: IssuerSettings = {
    ...common,
    ...clientAuthSettings(init),
    kind: "issuer",
    issuer,
    clientId: text("clientId", init.clientId),
    endpoints: init.endpoints === undefined ? undefined : endpointUrls(init.endpoints, insecure),
    redirectUri: init.redirectUri === undefined ? undefined : loopbackUri(init.redirectUri),
    loginHint: text("loginHint", init.loginHint),
    maxAge: init.maxAge === undefined ? undefined : seconds("maxAge", init.maxAge),
    acrValues: init.acrValues === undefined ? undefined : words("acrValues", init.acrValues),
    resource,
    audience: text("audience", init.audience),
    parameters,
    pushedAuthorizationRequests:
      init.pushedAuthorizationRequests === undefined
        ? undefined
        : boolean("pushedAuthorizationRequests", init.pushedAuthorizationRequests, false),
    dpop: boolean("dpop", init.dpop, false),
    responseMode: oneOf("responseMode", init.responseMode, ["query", "jwt"], "query"),
    idTokenSigningAlg: text("idTokenSigningAlg", init.idTokenSigningAlg),
    decryptionKey: init.decryptionKey,
    initialAccessToken: secret("initialAccessToken", init.initialAccessToken),
    clientName: text("clientName", init.clientName) ?? "oidc-auth-client",
  };
  const secretive = settings.clientSecret ?? settings.privateKey ?? settings.credentials;
  if (issuer === undefined && secretive !== undefined) {
    throw invalid(
      "issuer",
      "is missing: a secret goes to an issuer that you name, not to whom an API names",
      undefined,
    );
  }
  if (settings.clientSecret !== undefined && settings.clientId === undefined) {
    throw invalid("clientId", "is missing: a secret belongs to one", undefined);
  }
  return Object.freeze(settings);
}

/** An identifier that is compared letter by letter, so that it is kept as it was written. */
function identifier(field: string, value: string | URL, insecure: boolean): string {
  const url = safeUrl(value, insecure, field);
  if (url.username || url.password) throw invalid(field, "must not hold credentials", undefined);
  if (url.hash) throw invalid(field, "must have no fragment", url.origin + url.pathname);
  if (field === "issuer" && url.search) throw invalid(field, "must have no query", url.origin + url.pathname);
  const given = typeof value === "string" ? value.trim() : value.href;
  // A URL's parser drops them, or encodes them: what is kept as it was written would still hold them.
  if (/[\s\p{C}]/u.test(given)) throw invalid(field, "must hold no blanks and no control characters", given);
  return /^https?:\/\//i.test(given) ? given : `https://${given}`;
}

function loopbackUri(value: string | URL): string {
  const url = typeof value === "string" || value instanceof URL ? String(value) : "";
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const names = ["localhost", "127.0.0.1", "[::1]"];
  if (parsed?.protocol !== "http:" || !names.includes(parsed.hostname) || parsed.search || parsed.hash) {
    throw invalid(
      "redirectUri",
      "must be an http URL of this machine, such as http://127.0.0.1/callback",
      value,
    );
  }
  return url;
}

function seconds(field: string, value: number): number {
  if (!Number.isInteger(value) || value < 0) throw invalid(field, "must be a whole number of seconds", value);
  return value;
}

function words(field: string, value: readonly string[]): readonly string[] {
  const bad = Array.isArray(value)
    ? value.find((one) => typeof one !== "string" || !/^\S+$/.test(one))
    : value;
  if (bad !== undefined) throw invalid(field, "must be a list of names without blanks", bad);
  return Object.freeze([...value]);
}
