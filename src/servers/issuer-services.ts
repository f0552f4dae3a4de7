import { AuthError } from "../errors.js";
import { isDeep, isRecord, unverifiedClaims } from "../jwt.js";
import { httpUrl } from "../settings/address.js";
import { cleanText } from "../text.js";
import type { Token } from "../token.js";
import type { Speaking } from "./openid.js";
import { noObject } from "./server-error.js";

/** What a provider offers beside tokens. */

/** Claims about the person (OpenID Connect Core §5.3). @param plain whether it is no OpenID provider's endpoint */
export async function userinfo(
  speaking: Speaking,
  token: Token,
  plain: boolean,
): Promise<Record<string, unknown>> {
  const { library, configuration, proof, fetch } = speaking;
  const endpoint = configuration.serverMetadata().userinfo_endpoint;
  if (endpoint === undefined) throw missing(speaking, "userinfo");
  if (plain) {
    // GitHub and others: no `sub`, so that the library would refuse what is a fine answer there.
    const url = new URL(endpoint);
    const answer = await library.fetchProtectedResource(
      configuration,
      token.accessToken,
      url,
      "GET",
      null,
      undefined,
      proof,
    );
    const claims: unknown = answer.ok ? await answer.json().catch(() => undefined) : undefined;
    if (isRecord(claims)) return claims;
    throw fetch.last ? noObject(fetch.last) : missing(speaking, "userinfo");
  }
  const subject = token.idToken === undefined ? undefined : unverifiedClaims(token.idToken)?.["sub"];
  const expected = typeof subject === "string" ? subject : library.skipSubjectCheck;
  return claimsOf(await library.fetchUserInfo(configuration, token.accessToken, expected, proof));
}

/** What the provider knows of the access token (RFC 7662). */
export async function introspect(speaking: Speaking, token: Token): Promise<Record<string, unknown>> {
  const { library, configuration } = speaking;
  if (configuration.serverMetadata().introspection_endpoint === undefined)
    throw missing(speaking, "introspection");
  const hint = { token_type_hint: "access_token" };
  return claimsOf(await library.tokenIntrospection(configuration, token.accessToken, hint));
}

/** What was signed or encrypted was read by the library, past our own reading of answers. */
function claimsOf(answer: object): Record<string, unknown> {
  if (isDeep(answer)) throw new AuthError("invalid_response", "The claims are nested too deeply.");
  return { ...answer };
}

/** Revokes both tokens (RFC 7009); the refresh token first, as it is the one that makes others. */
export async function revoke({ library, configuration }: Speaking, token: Token): Promise<boolean> {
  if (configuration.serverMetadata().revocation_endpoint === undefined) return false;
  if (token.refreshToken !== undefined) {
    await library.tokenRevocation(configuration, token.refreshToken, { token_type_hint: "refresh_token" });
  }
  try {
    await library.tokenRevocation(configuration, token.accessToken, { token_type_hint: "access_token" });
  } catch (error) {
    // A server need not revoke access tokens (RFC 7009 §2.2.1): the login is over all the same.
    const unsupported = (error as { error?: unknown }).error === "unsupported_token_type";
    if (!unsupported || token.refreshToken === undefined) throw error;
  }
  return true;
}

/** OpenID Connect RP-Initiated Logout §2. */
export function endSessionUrl(
  { library, configuration }: Speaking,
  token: Token | undefined,
  returnTo: string | undefined,
): URL | undefined {
  if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
  const build = (hint: string | undefined) => {
    const url = library.buildEndSessionUrl(configuration, {
      ...(hint !== undefined && { id_token_hint: hint }),
      ...(returnTo !== undefined && { post_logout_redirect_uri: returnTo }),
    });
    return httpUrl(url.href);
  };
  // Where the hint makes the address too long the provider has to ask the person.
  return build(token?.idToken) ?? build(undefined);
}

function missing({ configuration }: Speaking, what: string): AuthError {
  const { issuer } = configuration.serverMetadata();
  return new AuthError("not_supported", `${cleanText(issuer)} has no ${what} endpoint.`);
}
