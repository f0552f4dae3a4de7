import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import type { Context } from "../context.js";
import { AuthError } from "../errors.js";
import { unverifiedClaims } from "../jwt.js";
import { httpUrl } from "../settings/address.js";
import type { IssuerSettings } from "../settings/issuer.js";
import { cleanText } from "../text.js";
import type { Token } from "../token.js";
import type { CodeLogin } from "./auth-server.js";
import { onlyParameter, refusalIn, sameSecret, stateMismatch } from "./callback.js";
import type { Discovery } from "./discovery.js";
import { loginParameters } from "./issuer-parameters.js";
import type { Library, Speaking } from "./openid.js";

export interface CodeLoginInit {
  readonly settings: IssuerSettings;
  readonly scopes: readonly string[];
  readonly discovery: Discovery;
  readonly redirectUri: string;
  readonly context: Context;
  readonly signal: AbortSignal | undefined;
  speak<T>(work: (speaking: Speaking) => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
  token(library: Library, answer: TokenEndpointResponse & TokenEndpointResponseHelpers): Token;
}

/** Begins a code login: PKCE S256 (RFC 7636), `state`, `nonce`, pushed where the provider wants it (RFC 9126). */
export async function beginCodeLogin(init: CodeLoginInit): Promise<CodeLogin> {
  const { settings, scopes, discovery, redirectUri } = init;
  return init.speak(async ({ library, configuration, proof }) => {
    const openid = scopes.includes("openid");
    const verifier = library.randomPKCECodeVerifier();
    const state = library.randomState();
    const nonce = openid ? library.randomNonce() : undefined;
    const parameters: Record<string, string> = {
      ...loginParameters(settings, scopes),
      redirect_uri: redirectUri,
      state,
      ...(nonce !== undefined && { nonce }),
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      // The code, too, is bound to the key (RFC 9449 §10).
      ...(proof.DPoP && { dpop_jkt: await proof.DPoP.calculateThumbprint() }),
    };
    const pushed =
      settings.pushedAuthorizationRequests ??
      discovery.document["require_pushed_authorization_requests"] === true;
    const url = pushed
      ? await library.buildAuthorizationUrlWithPAR(configuration, parameters, proof)
      : library.buildAuthorizationUrl(configuration, parameters);
    if (!httpUrl(url.href)) {
      throw new AuthError(
        "invalid_response",
        `${cleanText(discovery.issuer)} names a login page that no browser is sent to.`,
      );
    }
    const matches = (callback: URL) => sameSecret(state, stateOf(callback, settings));
    return {
      url,
      matches,
      redeem: async (callback: URL, signal?: AbortSignal) => {
        if (!matches(callback)) throw stateMismatch();
        const refusal = refusalIn(callback);
        // Whoever knows the state may end the login, but `iss` must not be another's (RFC 9207 §2.4).
        if (refusal && !foreign(callback, discovery)) throw refusal;
        // Where it came to does not matter (it may have been pasted): its parameters do.
        const current = new URL(redirectUri);
        current.search = callback.search;
        const checks = {
          pkceCodeVerifier: verifier,
          expectedState: state,
          ...(nonce !== undefined && { expectedNonce: nonce, idTokenExpected: true }),
          ...(settings.maxAge !== undefined && openid && { maxAge: settings.maxAge }),
        };
        return init.speak(async (speaking) => {
          const target = settings.resource === undefined ? undefined : { resource: settings.resource };
          const answer = await speaking.library.authorizationCodeGrant(
            speaking.configuration,
            current,
            checks,
            target,
            speaking.proof,
          );
          return init.token(speaking.library, answer);
        }, signal);
      },
    };
  }, init.signal);
}

/** The `state` of a callback; of a signed one (JARM) what is inside, whose signature is checked before it is used. */
function stateOf(callback: URL, { responseMode }: IssuerSettings): string | undefined {
  if (responseMode !== "jwt") return onlyParameter(callback, "state");
  const claims = unverifiedClaims(onlyParameter(callback, "response") ?? "");
  return typeof claims?.["state"] === "string" ? claims["state"] : undefined;
}

function foreign(callback: URL, { issuer }: Discovery): boolean {
  const named = onlyParameter(callback, "iss");
  return named !== undefined && named !== issuer;
}
