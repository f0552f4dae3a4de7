import type { Context } from "../context.js";
import type { GrantRequest } from "../grant.js";
import type { Token } from "../token.js";

/** A device authorization answer (RFC 8628 §3.2), checked and in our names. */
export interface DeviceCode {
  /** Where the person goes: the complete URI where the server gave one, else the plain one. */
  readonly uri: string;
  /** Where the person enters the code. */
  readonly verificationUri: string;
  /** The same with the code filled in, where the server gave it. */
  readonly verificationUriComplete?: string;
  /** What the person enters. */
  readonly userCode: string;
  /** What we poll with; a secret, which `console.log` does not show and `JSON.stringify` does. */
  readonly deviceCode: string;
  /** Seconds for which the codes are valid. */
  readonly expiresIn: number;
  /** Seconds to wait between polls; 5 where the server does not say. */
  readonly interval: number;
}

/** The outcome of one poll (RFC 8628 §3.5); a refusal is thrown. */
export type DevicePoll =
  | { readonly status: "granted"; readonly token: Token }
  | { readonly status: "pending" }
  | { readonly status: "slow_down" };

/** Where the browser may come back to, on this machine. */
export interface RedirectPlan {
  /** A loopback URL; its port is replaced. */
  readonly uri: string;
  /** Ports in order of preference; 0: any free one (RFC 8252 §7.3). */
  readonly ports: readonly number[];
}

/** A code login under way; who owns `state`, `nonce` and the verifier stays hidden behind it. */
export interface CodeLogin {
  /** What the browser opens. */
  readonly url: URL;
  /** Whether a callback is the answer to this login (state compared in constant time). */
  matches(callback: URL): boolean;
  /**
   * Exchanges the code of a callback for a token. One attempt.
   * @throws AuthError `state_mismatch` where the callback is not this login's, the OAuth code where it bears
   *   `?error=` (RFC 6749 §4.1.2.1)
   */
  redeem(callback: URL, signal?: AbortSignal): Promise<Token>;
}

/** One protocol spoken with one server. Each call is one attempt: loops and policy belong to the flows. */
export interface AuthServer {
  /** Whether the browser login is offered at all. */
  hasCodeFlow(context: Context, signal?: AbortSignal): Promise<boolean>;
  /** @throws AuthError `device_flow_unsupported` where the server has no device flow */
  beginDevice(context: Context, signal?: AbortSignal): Promise<DeviceCode>;
  redeemDevice(deviceCode: string, context: Context, signal?: AbortSignal): Promise<DevicePoll>;
  redirects(context: Context, signal?: AbortSignal): Promise<RedirectPlan>;
  beginCode(redirectUri: string, context: Context, signal?: AbortSignal): Promise<CodeLogin>;
  /**
   * @param signal ends what comes before the refresh itself: once sent, that is always heard out, else a rotated
   *   refresh token could be lost
   */
  refresh(token: Token, context: Context, signal?: AbortSignal): Promise<Token>;
  /** A token that needs no person. */
  grant(request: GrantRequest, context: Context, signal?: AbortSignal): Promise<Token>;
  /** Whom an assertion of the client's own is made for (RFC 7523 §3). */
  audience(context: Context, signal?: AbortSignal): Promise<string>;
  /** Claims about whom the token belongs to (OpenID Connect Core §5.3). */
  userinfo(token: Token, context: Context, signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** @throws AuthError `not_supported` where the server has no such endpoint (RFC 7662) */
  introspect(token: Token, context: Context, signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** Revokes refresh and access token (RFC 7009). @returns false where the server has no such endpoint */
  revoke(token: Token, context: Context, signal?: AbortSignal): Promise<boolean>;
  /** Where a browser ends the person's session at the provider; `undefined` where that is not offered. */
  endSessionUrl(
    token: Token | undefined,
    returnTo: string | undefined,
    context: Context,
    signal?: AbortSignal,
  ): Promise<URL | undefined>;
}
