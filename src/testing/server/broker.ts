import { randomUUID } from "node:crypto";
import { type CryptoKey, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";

/** What the routes answer a token request with. */
export interface TokenPayload {
  access_token: string;
  token_type: string;
  expires: number;
  refresh_token: string;
  refresh_expires: number;
  scope: string;
}

interface Session {
  readonly name: string;
  readonly providerRefreshToken: string;
  readonly scope: string;
  /** Seconds that the login lives: 30 days by device code, an hour by browser. */
  readonly lifetime: number;
}

/** Broker mode: the server mints a token of its own, and keeps the provider's behind it. */
export class Broker {
  readonly #sessions = new Map<string, Session>();
  readonly #privateKey: CryptoKey;
  readonly #publicKey: CryptoKey;
  readonly #accessTokenLifetime: number;

  private constructor(keys: { privateKey: CryptoKey; publicKey: CryptoKey }, accessTokenLifetime: number) {
    this.#privateKey = keys.privateKey;
    this.#publicKey = keys.publicKey;
    this.#accessTokenLifetime = accessTokenLifetime;
  }

  static async create(accessTokenLifetime: number): Promise<Broker> {
    return new Broker(await generateKeyPair("ES256", { extractable: true }), accessTokenLifetime);
  }

  /** One JWT, as access token and as refresh token. */
  async open(session: Session): Promise<TokenPayload> {
    const now = Math.floor(Date.now() / 1000);
    const expires = now + this.#accessTokenLifetime;
    const token = await new SignJWT({ preferred_username: session.name, scope: session.scope })
      .setProtectedHeader({ alg: "ES256", kid: "broker" })
      .setSubject(session.name)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(expires)
      .sign(this.#privateKey);
    this.#sessions.set(token, session);
    return {
      access_token: token,
      token_type: "Bearer",
      expires,
      refresh_token: token,
      refresh_expires: now + session.lifetime,
      scope: session.scope,
    };
  }

  /** Ends the session before the provider is asked: a second refresh with the same token finds none. */
  take(token: string): Session | undefined {
    const session = this.#sessions.get(token);
    this.#sessions.delete(token);
    return session;
  }

  revokeAll(): void {
    this.#sessions.clear();
  }

  async verify(token: string): Promise<string | undefined> {
    try {
      return (await jwtVerify(token, this.#publicKey)).payload.sub;
    } catch {
      return undefined;
    }
  }

  async jwks(): Promise<object> {
    return { keys: [{ ...(await exportJWK(this.#publicKey)), alg: "ES256", use: "sig", kid: "broker" }] };
  }
}
