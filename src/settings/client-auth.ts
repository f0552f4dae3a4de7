import { invalid, secret, text } from "./checks.js";

/** How a client proves who it is (OpenID Connect Core §9, RFC 8705 §2). */
export type ClientAuthMethod =
  | "none"
  | "client_secret_basic"
  | "client_secret_post"
  | "private_key_jwt"
  | "tls_client_auth";

/** A private key: PKCS #8 in PEM, or a JWK (RFC 7517). */
export type PrivateKey = string | Readonly<Record<string, unknown>>;

/** How this program proves to the provider who it is. A program on a person's machine has no secret to keep. */
export interface ClientAuthOptions {
  /** The client's secret, for programs that can keep one. */
  clientSecret?: string | undefined;
  /** What assertions are signed with (`private_key_jwt`, RFC 7523 §2.2). */
  privateKey?: PrivateKey | undefined;
  /** The `kid` under which the provider knows that key. Default: the JWK's own. */
  privateKeyId?: string | undefined;
  /** The algorithm of that key, such as `ES256`. Default: the JWK's own, or what fits the key. */
  privateKeyAlg?: string | undefined;
  /** For whom the signed assertion is (`aud`). Default: the issuer; some providers want their token endpoint. */
  assertionAudience?: string | undefined;
  /**
   * Default: `client_secret_basic` with a secret (`client_secret_post` where the provider takes only that),
   * `private_key_jwt` with a key, else `none`.
   */
  clientAuthMethod?: ClientAuthMethod | undefined;
}

/** {@link ClientAuthOptions}, checked. */
export interface ClientAuthSettings {
  readonly clientSecret: string | undefined;
  readonly privateKey: PrivateKey | undefined;
  readonly privateKeyId: string | undefined;
  readonly privateKeyAlg: string | undefined;
  readonly assertionAudience: string | undefined;
  /** Absent where the provider's own list decides. */
  readonly clientAuthMethod: ClientAuthMethod | undefined;
}

export const CLIENT_AUTH_NAMES = [
  ...["clientSecret", "privateKey", "privateKeyId", "privateKeyAlg", "assertionAudience", "clientAuthMethod"],
] as const;

const METHODS: readonly ClientAuthMethod[] = [
  ...(["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"] as const),
];

/** @throws AuthError `invalid_config` */
export function clientAuthSettings(options: ClientAuthOptions): ClientAuthSettings {
  const clientSecret = secret("clientSecret", options.clientSecret);
  const { privateKey, clientAuthMethod } = options;
  if (clientAuthMethod !== undefined && !METHODS.includes(clientAuthMethod)) {
    throw invalid("clientAuthMethod", `must be one of ${METHODS.join(", ")}`, clientAuthMethod);
  }
  const isPem = typeof privateKey === "string" && privateKey.includes("-----BEGIN PRIVATE KEY-----");
  const isJwk =
    typeof privateKey === "object" && privateKey !== null && typeof privateKey["kty"] === "string";
  if (privateKey !== undefined && !isPem && !isJwk) {
    throw invalid("privateKey", "must be a PKCS #8 key in PEM (BEGIN PRIVATE KEY) or a JWK", undefined);
  }
  if (clientAuthMethod === "private_key_jwt" && privateKey === undefined) {
    throw invalid("privateKey", "is missing: private_key_jwt signs with it", undefined);
  }
  if (clientAuthMethod?.startsWith("client_secret") && clientSecret === undefined) {
    throw invalid("clientSecret", `is missing: ${clientAuthMethod} sends it`, undefined);
  }
  return {
    clientSecret,
    privateKey,
    privateKeyId: text("privateKeyId", options.privateKeyId),
    privateKeyAlg: text("privateKeyAlg", options.privateKeyAlg),
    assertionAudience: text("assertionAudience", options.assertionAudience),
    clientAuthMethod,
  };
}
