import { AuthError } from "./errors.js";
import { isRecord, unverifiedClaims } from "./jwt.js";

/** Written in the store file for "unknown" and "never": the Python client needs an integer. 9999-12-31T23:59:59Z. */
export const FAR_FUTURE = 253_402_300_799;

/** An access token counts as used up this many seconds before its end. */
const MARGIN_SECONDS = 60;
/** Below this lifetime (seconds) the margin is a tenth of the lifetime instead. */
const SHORT_LIFETIME_SECONDS = 600;

/** Token types as headers write them; providers write them in any case. */
const KNOWN_TYPES: ReadonlyMap<string, string> = new Map([
  ["bearer", "Bearer"],
  ["dpop", "DPoP"],
]);

/** The parts of a {@link Token}. */
export interface TokenInit {
  accessToken: string;
  tokenType?: string | undefined;
  expiresAt: number;
  refreshToken?: string | undefined;
  refreshExpiresAt?: number | undefined;
  scope?: string | undefined;
  idToken?: string | undefined;
  issuedAt?: number | undefined;
  dpopKey?: DpopKey | undefined;
}

/** A private key as a JWK (RFC 7517), which a token is bound to (RFC 9449). */
export type DpopKey = Readonly<Record<string, unknown>>;

/**
 * A token as a server granted it. Immutable. `console.log` of one shows no secret; `JSON.stringify` does, as it is
 * how a program hands a token on.
 */
export class Token {
  /** The bearer token itself. */
  readonly accessToken: string;
  /** "Bearer", or "DPoP" for a token that is bound to a key (RFC 6749 §7.1, RFC 9449 §5). */
  readonly tokenType: string;
  /** Unix seconds at which the access token ends. */
  readonly expiresAt: number;
  /** What a new access token is got with (RFC 6749 §6). */
  readonly refreshToken?: string;
  /** Unix seconds at which the refresh token ends; absent where the server did not say or it never ends. */
  readonly refreshExpiresAt?: number;
  /** Granted scopes, separated by blanks (RFC 6749 §3.3). */
  readonly scope: string;
  /** The id token, where the server hands one out (OpenID Connect Core §2). */
  readonly idToken?: string;
  /** Unix seconds at which we received it; absent where the store does not say. */
  readonly issuedAt?: number;
  /**
   * The private key that a DPoP token is bound to; a secret. Requests with such a token need a proof made with it:
   * `createAuthFetch()` does that.
   */
  readonly dpopKey?: DpopKey;
  /** Ready for any HTTP client: `fetch(url, { headers: token.headers })` (RFC 6750 §2.1). A plain object. */
  readonly headers: { readonly Authorization: string };

  constructor(init: TokenInit) {
    this.accessToken = init.accessToken;
    // Some providers send "bearer"; resource servers compare the scheme by case more often than they should.
    const type = init.tokenType ?? "Bearer";
    this.tokenType = KNOWN_TYPES.get(type.toLowerCase()) ?? type;
    this.expiresAt = init.expiresAt;
    if (init.refreshToken !== undefined) this.refreshToken = init.refreshToken;
    if (init.refreshExpiresAt !== undefined) this.refreshExpiresAt = init.refreshExpiresAt;
    this.scope = init.scope ?? "";
    if (init.idToken !== undefined) this.idToken = init.idToken;
    if (init.issuedAt !== undefined) this.issuedAt = init.issuedAt;
    if (init.dpopKey !== undefined) this.dpopKey = init.dpopKey;
    this.headers = Object.freeze({ Authorization: `${this.tokenType} ${this.accessToken}` });
    Object.freeze(this);
  }

  /** What `console.log` and `util.inspect` show: everything but the secrets. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const end = new Date(Math.min(this.expiresAt, FAR_FUTURE) * 1000).toISOString();
    return `Token { ${this.tokenType}, expires ${end}, ${this.refreshToken ? "refreshable" : "not refreshable"} }`;
  }
}

/**
 * Whether an access token is good for a request now: more than 60 s left, or more than a tenth of its lifetime
 * where that is under ten minutes.
 *
 * @param now Unix milliseconds
 */
export function isUsable(token: Token, now: number): boolean {
  return token.expiresAt - now / 1000 > margin(token);
}

function margin(token: Token): number {
  if (token.issuedAt === undefined) return MARGIN_SECONDS;
  const lifetime = token.expiresAt - token.issuedAt;
  return lifetime > 0 && lifetime < SHORT_LIFETIME_SECONDS
    ? Math.min(lifetime / 10, MARGIN_SECONDS)
    : MARGIN_SECONDS;
}

/**
 * Whether a refresh is worth one try: there is a refresh token and its end is not certainly past.
 *
 * @param now Unix milliseconds
 */
export function isRefreshable(token: Token, now: number): boolean {
  if (!token.refreshToken) return false;
  return token.refreshExpiresAt === undefined || token.refreshExpiresAt > now / 1000;
}

/** What surrounds a token answer. */
export interface TokenAnswer {
  /** Unix milliseconds of the answer. */
  readonly now: number;
  /** How far (milliseconds) the server's clock is ahead of ours. Default 0. */
  readonly skew?: number | undefined;
  /** The token that was refreshed: it keeps its refresh token, scope and id token where the answer has none (RFC 6749 §6). */
  readonly previous?: Token | undefined;
  /** The key that was proven to the server: a token may be bound to it. */
  readonly dpopKey?: DpopKey | undefined;
}

interface AnswerTime {
  readonly seconds: number;
  readonly skewSeconds: number;
}

/** How close to the answer (seconds) a refresh expiry says nothing: servers fill a missing one with now + 180. */
const MEANINGLESS_SECONDS = 200;

/**
 * Makes a Token of a server's token answer (RFC 6749 §5.1) in any of the forms that servers use: absolute
 * (`expires`, `exp`, `expires_at`) or relative (`expires_in`) ends, with or without a refresh token.
 *
 * @param body the parsed answer
 * @throws AuthError `invalid_response` where the answer holds no usable token
 */
export function tokenFromResponse(body: unknown, answer: TokenAnswer): Token {
  const { now, previous, skew = 0, dpopKey } = answer;
  if (!isRecord(body)) throw incomplete("it is not an object");
  const accessToken = text(body["access_token"]);
  if (!accessToken) throw incomplete("access_token is missing");
  if (!isHeaderSafe(accessToken)) throw incomplete("access_token holds characters that no header can carry");
  const type = text(body["token_type"]) ?? "Bearer";
  const bound = type.toLowerCase() === "dpop";
  if (!KNOWN_TYPES.has(type.toLowerCase()) || (bound && !dpopKey)) {
    throw incomplete(`token_type is not Bearer${dpopKey ? " or DPoP" : ""}`);
  }
  const time: AnswerTime = { seconds: now / 1000, skewSeconds: skew / 1000 };
  const expiresAt = firstEnd(body, ["expires", "exp", "expires_at"], ["expires_in"], time);
  const refreshToken = text(body["refresh_token"]) ?? previous?.refreshToken;
  return new Token({
    accessToken,
    tokenType: type,
    expiresAt: expiresAt ?? jwtEnd(accessToken, time) ?? unstatedEnd(time, refreshToken),
    refreshToken,
    refreshExpiresAt: refreshToken === undefined ? undefined : refreshEnd(body, refreshToken, time, previous),
    scope: text(body["scope"]) ?? previous?.scope,
    idToken: text(body["id_token"]) ?? previous?.idToken,
    issuedAt: Math.floor(time.seconds),
    dpopKey: bound ? dpopKey : undefined,
  });
}

/** Seconds that a token of no stated end is used where another can be had with a refresh token. */
const UNSTATED_SECONDS = 300;

/** Servers that state no end and give no refresh token (GitHub) mean a token that holds until it is revoked. */
function unstatedEnd({ seconds }: AnswerTime, refreshToken: string | undefined): number {
  return refreshToken ? Math.floor(seconds) + UNSTATED_SECONDS : FAR_FUTURE;
}

function refreshEnd(
  body: Record<string, unknown>,
  refreshToken: string,
  time: AnswerTime,
  previous: Token | undefined,
): number | undefined {
  const given = firstEnd(
    body,
    ["refresh_expires", "refresh_exp", "refresh_expires_at"],
    ["refresh_expires_in", "refresh_token_expires_in"],
    time,
  );
  if (given !== undefined && given > time.seconds + MEANINGLESS_SECONDS) {
    return given >= FAR_FUTURE ? undefined : given;
  }
  const end = jwtEnd(refreshToken, time);
  if (end !== undefined) return end;
  return refreshToken === previous?.refreshToken ? previous.refreshExpiresAt : undefined;
}

/** The first end (Unix seconds) that the answer states, rounded down: a token is never thought to live longer. */
function firstEnd(
  body: Record<string, unknown>,
  absolute: readonly string[],
  relative: readonly string[],
  { seconds, skewSeconds }: AnswerTime,
): number | undefined {
  for (const name of absolute) {
    const value = positive(body[name]);
    if (value !== undefined) return onOurClock(value, skewSeconds);
  }
  for (const name of relative) {
    const value = positive(body[name]);
    if (value !== undefined) return Math.min(Math.floor(seconds + value), FAR_FUTURE);
  }
  return undefined;
}

/** The `exp` claim of a JWT, unverified: only a hint about how long to keep it, never a reason to trust it. */
function jwtEnd(jwt: string, { skewSeconds }: AnswerTime): number | undefined {
  const end = positive(unverifiedClaims(jwt)?.["exp"]);
  return end === undefined ? undefined : onOurClock(end, skewSeconds);
}

/** A time of the server's clock, on ours; what means "never" stays so. */
function onOurClock(end: number, skewSeconds: number): number {
  return end >= FAR_FUTURE ? FAR_FUTURE : Math.floor(end - skewSeconds);
}

/** A number above zero, also where a server writes it as a string (Azure AD v1 does). */
export function positive(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** RFC 6750 §2.1: visible ASCII; anything else could split or break a header. */
function isHeaderSafe(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value);
}

function incomplete(what: string): AuthError {
  return new AuthError("invalid_response", `The token answer of the server cannot be used: ${what}.`);
}
