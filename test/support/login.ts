import { authenticate } from "../../src/authenticate.js";
import type { TokenStore } from "../../src/store/token-store.js";
import { fakeClock, scriptedPerson } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";

/** A login of a person who approves it, wherever this runs. */
export async function logIn(host: string, store: TokenStore): Promise<Token> {
  return authenticate(host, { store, ...fakeClock(), ...scriptedPerson() });
}

/** The same token, whose access token has ended: it has to be renewed. */
export function ended(token: Token): Token {
  return new Token({ ...token, expiresAt: 1_700_000_000 });
}
