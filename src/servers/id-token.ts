import { AuthError } from "../errors.js";
import { unverifiedClaims } from "../jwt.js";
import type { Token } from "../token.js";

/** OpenID Connect Core §12.2: a renewed id token speaks of the same person, by the same issuer. */
export function assertSamePerson(previous: Token, renewed: { iss: string; sub: string } | undefined): void {
  const before = previous.idToken === undefined ? undefined : unverifiedClaims(previous.idToken);
  if (!renewed || !before) return;
  if (before["iss"] !== renewed.iss || before["sub"] !== renewed.sub) {
    throw new AuthError(
      "invalid_response",
      "The renewed id token belongs to another person or issuer than the stored login.",
      { hint: "Nothing was stored. Log in anew; if this comes again, tell the provider's administrator." },
    );
  }
}

/** The id token as it was signed, where it came encrypted. */
export function decryptedIdToken(decrypted: unknown): string | undefined {
  if (typeof decrypted === "string") return decrypted;
  const inner = (decrypted as { id_token?: { token_endpoint?: unknown } } | undefined)?.id_token
    ?.token_endpoint;
  return typeof inner === "string" ? inner : undefined;
}
