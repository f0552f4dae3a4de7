import { sameSecret } from "./callback.js";

/** The server's `state`: `<random>|<redirect_uri>|<code_verifier>`. Whoever sees it holds the verifier. */
export class LoginState {
  readonly #raw: string;
  readonly redirectUri: string;
  readonly codeVerifier: string;

  private constructor(raw: string, redirectUri: string, codeVerifier: string) {
    this.#raw = raw;
    this.redirectUri = redirectUri;
    this.codeVerifier = codeVerifier;
  }

  static parse(raw: string | null): LoginState | undefined {
    const parts = raw?.split("|") ?? [];
    const [random, redirectUri, codeVerifier] = parts;
    if (raw === null || parts.length !== 3 || !random || !redirectUri || !codeVerifier) return undefined;
    return new LoginState(raw, redirectUri, codeVerifier);
  }

  equals(other: string | undefined): boolean {
    return sameSecret(this.#raw, other);
  }
}
