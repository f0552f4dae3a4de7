import type { Credentials } from "../grant.js";
import { boolean, invalid, oneOf, portList, scopeList } from "./checks.js";

/** What the login page is asked to do (OpenID Connect Core §3.1.2.1). */
export type Prompt = "none" | "login" | "consent" | "select_account";

const PROMPTS: readonly Prompt[] = ["none", "login", "consent", "select_account"];

/** Settings that every kind of server has. */
export interface CommonOptions {
  /** Scopes to ask for. Default: what the server is set up with; of an issuer `openid` and `offline_access`. */
  scopes?: readonly string[] | undefined;
  /**
   * What the login page is asked to do; `false`: nothing. Default `consent`, which most providers need for a refresh
   * token (OpenID Connect Core §11).
   */
  prompt?: Prompt | false | undefined;
  /**
   * Ports on which the browser may come back, tried in order. They must be registered at the provider. Default of a
   * server with the py-oidc-auth routes: what it lists, else 53100 to 53105; of an issuer: any free one (RFC 8252 §7.3).
   */
  redirectPorts?: readonly number[] | undefined;
  /** Allows plain http to a host that is not this machine: tokens then travel in the clear. Default false. */
  allowInsecureHost?: boolean | undefined;
  /** A login without a person, such as `clientCredentials()` or `fromGitHubActions()`. */
  credentials?: Credentials | undefined;
}

/** {@link CommonOptions}, checked. */
export interface CommonSettings {
  readonly scopes: readonly string[] | undefined;
  readonly prompt: Prompt | false;
  readonly redirectPorts: readonly number[] | undefined;
  readonly allowInsecureHost: boolean;
  readonly credentials: Credentials | undefined;
}

export const COMMON_NAMES = [
  "scopes",
  "prompt",
  "redirectPorts",
  "allowInsecureHost",
  "credentials",
] as const;

/** @throws AuthError `invalid_config` */
export function commonSettings(init: CommonOptions): CommonSettings {
  const { credentials } = init;
  const parts = [credentials?.request, credentials?.identity];
  if (credentials !== undefined && parts.some((part) => typeof part !== "function")) {
    throw invalid(
      "credentials",
      "must be made by clientCredentials(), tokenExchange(), fromFile(), …",
      undefined,
    );
  }
  return {
    scopes: scopeList("scopes", init.scopes),
    prompt: init.prompt === false ? false : oneOf("prompt", init.prompt, PROMPTS, "consent"),
    redirectPorts: portList("redirectPorts", init.redirectPorts),
    allowInsecureHost: boolean("allowInsecureHost", init.allowInsecureHost, false),
    credentials,
  };
}
