import { AuthError } from "../errors.js";
import { unverifiedClaims } from "../jwt.js";
import type { Token } from "../token.js";

/** A token goes to nobody but the issuer it is of, and a refresh token under no other client's name. */
export function assertOurs(token: Token, { issuer, clientId }: { issuer: string; clientId: string }): void {
  const ours = (token.issuer ?? issuer) === issuer && (token.clientId ?? clientId) === clientId;
  if (!ours) throw new AuthError("invalid_grant", `The stored login is not one of ${clientId} at ${issuer}.`);
}

/** OpenID Connect Core §12.2: a renewed id token speaks of the same person, by the same issuer. */
export function assertSamePerson(previous: Token, renewed: { iss: string; sub: string } | undefined): void {
  const before = previous.idToken === undefined ? undefined : unverifiedClaims(previous.idToken);
  if (!renewed || !before) return;
  if (before["iss"] !== renewed.iss || before["sub"] !== renewed.sub) {
    throw new AuthError(
      "invalid_response",
      "The renewed id token belongs to another person or issuer than the stored login.",
      {
        hint: "Nothing was stored. Log in anew; if this comes again, tell the provider's administrator.",
        answerLost: true,
      },
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
