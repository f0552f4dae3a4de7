import type { Credentials, GrantRequest } from "../grant.js";
import { parameterMap } from "../settings/checks.js";
import type { PrivateKey } from "../settings/client-auth.js";
import { identityOf, readToken, sourceIdentity, sourceOf, type TokenSource } from "./token-source.js";

/** Ways to a token that need no person, and no more than what is at hand. */

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_TYPE = "urn:ietf:params:oauth:token-type:";

/** Further parameters of the token request, by their names on the wire. */
export interface GrantOptions {
  /** Such as `requested_token_type`. What this library sets itself goes first. Default: none. */
  parameters?: Readonly<Record<string, string>> | undefined;
}

/**
 * The client's own token (RFC 6749 §4.4). The client proves who it is by what its issuer's settings say: `clientSecret`,
 * `privateKey`, or a TLS client certificate.
 */
export function clientCredentials(options: GrantOptions = {}): Credentials {
  const parameters = parameterMap("parameters", options.parameters);
  return {
    description: "the client's own credentials",
    kind: "client_credentials",
    identity: async () => identityOfParameters(parameters),
    request: async () => ({ grantType: "client_credentials", parameters }),
  };
}

/** What is given in exchange, and what for. */
export interface TokenExchangeOptions extends GrantOptions {
  /** The token that is given in exchange. */
  subjectToken: TokenSource;
  /** What it is, as a URN or its last word. Default `jwt`. */
  subjectTokenType?: string | undefined;
  /** The token of whoever acts for the subject. */
  actorToken?: TokenSource | undefined;
  /** Default `jwt`. */
  actorTokenType?: string | undefined;
  /** What is wanted. Default: what the server gives, an access token. */
  requestedTokenType?: string | undefined;
}

/**
 * A token in exchange for another one (RFC 8693 §2.1).
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the given token cannot be had
 */
export function tokenExchange(options: TokenExchangeOptions): Credentials {
  const subject = sourceOf("subjectToken", options.subjectToken);
  const actor = options.actorToken === undefined ? undefined : sourceOf("actorToken", options.actorToken);
  const parameters = parameterMap("parameters", options.parameters);
  const { subjectTokenType = "jwt", actorTokenType = "jwt", requestedTokenType } = options;
  return {
    description: "a token exchange",
    kind: "token-exchange",
    identity: async (env) =>
      [
        await sourceIdentity(subject, "subjectToken", env),
        actor === undefined ? "" : await sourceIdentity(actor, "actorToken", env),
        await identityOfParameters({
          ...parameters,
          type: `${subjectTokenType} ${requestedTokenType ?? ""}`,
        }),
      ].join("."),
    request: async (sources) => ({
      grantType: TOKEN_EXCHANGE,
      parameters: {
        ...parameters,
        subject_token: await readToken(subject, "subjectToken", sources),
        subject_token_type: typeUrn(subjectTokenType),
        ...(actor !== undefined && {
          actor_token: await readToken(actor, "actorToken", sources),
          actor_token_type: typeUrn(actorTokenType),
        }),
        ...(requestedTokenType !== undefined && { requested_token_type: typeUrn(requestedTokenType) }),
      },
    }),
  };
}

/** What is asked for beyond the usual: another API's token is another token. */
export async function identityOfParameters(parameters: Readonly<Record<string, string>>): Promise<string> {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? "" : identityOf(JSON.stringify(sorted));
}

/** `jwt`, `access_token`, `id_token`, `saml2` for the URNs of RFC 8693 §3. */
function typeUrn(type: string): string {
  return type.includes(":") ? type : TOKEN_TYPE + type;
}

/** The assertion that is the grant. */
export interface JwtBearerOptions extends GrantOptions {
  /** The assertion: a JWT that somebody signed, {@link signedJwt} for one that we sign ourselves. */
  assertion: TokenSource;
}

/**
 * A token for a signed statement (RFC 7523 §2.1), such as Google's service accounts use it.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the assertion cannot be had
 */
export function jwtBearer(options: JwtBearerOptions): Credentials {
  const assertion = sourceOf("assertion", options.assertion);
  const parameters = parameterMap("parameters", options.parameters);
  return {
    description: "a signed assertion",
    kind: "jwt-bearer",
    identity: async (env) =>
      `${await sourceIdentity(assertion, "assertion", env)}.${await identityOfParameters(parameters)}`,
    request: async (sources) => ({
      grantType: JWT_BEARER,
      parameters: { ...parameters, assertion: await readToken(assertion, "assertion", sources) },
    }),
  };
}

/** What an assertion says, and what it is signed with. */
export interface SignedJwtOptions {
  /** Who says it (`iss`). */
  issuer: string;
  /** Whom it is about (`sub`); `false`: nobody is named, as Google has it. Default: the issuer. */
  subject?: string | false | undefined;
  /** For whom it is (`aud`). Default: the token endpoint. */
  audience?: string | undefined;
  /** What it is signed with; a secret. */
  privateKey: PrivateKey;
  /** The `kid` under which the server knows the key. Default: the JWK's own. */
  keyId?: string | undefined;
  /** Such as `ES256`. Default: the JWK's own, or what fits the key. */
  algorithm?: string | undefined;
  /** Seconds for which it holds. Default 300. */
  lifetime?: number | undefined;
  /** Further claims. */
  claims?: Readonly<Record<string, unknown>> | undefined;
}

/** An assertion of our own, signed anew each time (RFC 7523 §3). */
export function signedJwt(options: SignedJwtOptions): TokenSource {
  const {
    issuer,
    subject = issuer,
    audience,
    privateKey,
    keyId,
    algorithm,
    lifetime = 300,
    claims,
  } = options;
  const sign: TokenSource = async ({ context, audience: server }) => {
    const [{ SignJWT }, { privateKeyOf }] = await Promise.all([
      import("jose"),
      import("../servers/client-auth.js"),
    ]);
    const { key, kid, alg } = await privateKeyOf(privateKey, { use: "sign", alg: algorithm });
    const now = Math.floor(context.now() / 1000);
    const id = keyId ?? kid;
    return new SignJWT({ ...claims, ...(subject !== false && { sub: subject }), jti: crypto.randomUUID() })
      .setProtectedHeader({ alg, typ: "JWT", ...(id !== undefined && { kid: id }) })
      .setIssuer(issuer)
      .setAudience(audience ?? server)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetime)
      .sign(key);
  };
  return Object.assign(sign, { identity: JSON.stringify([issuer, subject, audience, claims]) });
}

/** How a job's own token is used. */
export type WorkloadUse = "token-exchange" | "jwt-bearer" | "client-assertion";

/** The request that a job's own token makes. */
export async function workloadRequest(
  use: WorkloadUse,
  token: string,
  parameters: Readonly<Record<string, string>>,
  tokenType: string,
): Promise<GrantRequest> {
  switch (use) {
    case "token-exchange":
      return {
        grantType: TOKEN_EXCHANGE,
        parameters: { ...parameters, subject_token: token, subject_token_type: typeUrn(tokenType) },
      };
    case "jwt-bearer":
      return { grantType: JWT_BEARER, parameters: { ...parameters, assertion: token } };
    case "client-assertion":
      return { grantType: "client_credentials", parameters, clientAssertion: token };
  }
}
