/** Written in the store file for "unknown" and "never": the Python client needs an integer. 9999-12-31T23:59:59Z. */
export const FAR_FUTURE = 253_402_300_799;

/** An access token counts as used up this many seconds before its end. */
const MARGIN_SECONDS = 60;
/** Below this lifetime (seconds) the margin is a tenth of the lifetime instead. */
const SHORT_LIFETIME_SECONDS = 600;

/** A token that was issued this many seconds after now was issued by a clock that was wrong, or is now. */
const CLOCK_ERROR_SECONDS = 300;
/** A time above this is in milliseconds (since 2001); in seconds it would be the year 33658. */
const FIRST_MILLISECONDS = 1e12;

/** Token types as headers write them; providers write them in any case. */
export const KNOWN_TYPES: ReadonlyMap<string, string> = new Map([
  ["bearer", "Bearer"],
  ["dpop", "DPoP"],
]);

/** The parts of a {@link Token}. */
export interface TokenInit {
  /** The bearer token itself. */
  accessToken: string;
  /** Default `Bearer`. */
  tokenType?: string | undefined;
  /** Unix seconds at which the access token ends. */
  expiresAt: number;
  /** What a new access token is obtained with (RFC 6749 §6). */
  refreshToken?: string | undefined;
  /** Unix seconds at which the refresh token ends; left out where that is unknown or never. */
  refreshExpiresAt?: number | undefined;
  /** Granted scopes, separated by blanks. Default: none are stated. */
  scope?: string | undefined;
  /** The id token, where there is one. */
  idToken?: string | undefined;
  /** Unix seconds at which it was received. */
  issuedAt?: number | undefined;
  /** The private key that a DPoP token is bound to; a secret. */
  dpopKey?: DpopKey | undefined;
  /** The issuer that granted it, where it was one. */
  issuer?: string | undefined;
  /** The client that it was granted to. */
  clientId?: string | undefined;
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
  /** What a new access token is obtained with (RFC 6749 §6). */
  readonly refreshToken?: string;
  /** Unix seconds at which the refresh token ends; absent where the server did not say or it never ends. */
  readonly refreshExpiresAt?: number;
  /** Granted scopes, separated by blanks (RFC 6749 §3.3). */
  readonly scope: string;
  /** The id token, where the server hands one out (OpenID Connect Core §2). */
  readonly idToken?: string;
  /** Unix seconds at which we received it; absent where the store does not say. */
  readonly issuedAt?: number;
  /** The issuer that granted it, where it was one (not a server with the py-oidc-auth routes). */
  readonly issuer?: string;
  /** The client that it was granted to, where we know it. Its refresh token is of use to no other. */
  readonly clientId?: string;
  /**
   * The private key that a DPoP token is bound to; a secret. Requests with such a token need a proof made with it:
   * `createAuthFetch()` does that.
   */
  readonly dpopKey?: DpopKey;
  /** Ready for any HTTP client: `fetch(url, { headers: token.headers })` (RFC 6750 §2.1). A plain object. */
  readonly headers: {
    /** Such as `Bearer …`. */
    readonly Authorization: string;
  };

  /** For tokens that come from elsewhere, to be put into a {@link TokenStore}. */
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
    if (init.issuer !== undefined) this.issuer = init.issuer;
    if (init.clientId !== undefined) this.clientId = init.clientId;
    this.headers = Object.freeze({ Authorization: `${this.tokenType} ${this.accessToken}` });
    Object.freeze(this);
  }

  /** What `console.log` and `util.inspect` show: everything but the secrets. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const end = new Date((unixSeconds(this.expiresAt) ?? 0) * 1000).toISOString();
    return `Token { ${this.tokenType}, expires ${end}, ${this.refreshToken ? "refreshable" : "not refreshable"} }`;
  }
}

/**
 * Whether an access token is good for a request now: more than 60 s left, or more than a tenth of its lifetime
 * where that is under ten minutes. Where the clock was set back since it was issued, its end says nothing: then one
 * that can be renewed is not good.
 *
 * @param now Unix milliseconds; default: now
 */
export function isUsable(token: Token, now: number = Date.now()): boolean {
  return token.expiresAt - now / 1000 > margin(token) && !isFromLater(token, now);
}

function isFromLater({ issuedAt, expiresAt, refreshToken }: Token, now: number): boolean {
  if (issuedAt === undefined || !refreshToken || expiresAt >= FAR_FUTURE) return false;
  return issuedAt - now / 1000 > CLOCK_ERROR_SECONDS;
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
 * @param now Unix milliseconds; default: now
 */
export function isRefreshable(token: Token, now: number = Date.now()): boolean {
  if (!token.refreshToken) return false;
  return token.refreshExpiresAt === undefined || token.refreshExpiresAt > now / 1000;
}

/** RFC 6750 §2.1: visible ASCII; anything else could split or break a header, or a line of what is made with it. */
export function isHeaderSafe(accessToken: string): boolean {
  return /^[\x21-\x7e]+$/.test(accessToken);
}

/** A number above zero, also where a server writes it as a string (Azure AD v1 does). */
export function positive(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
}

/** A moment in Unix seconds, also where it is written in milliseconds; what lies past the year 9999 is "never". */
export function unixSeconds(value: unknown): number | undefined {
  const time = positive(value);
  if (time === undefined || time <= FAR_FUTURE) return time;
  return time < FIRST_MILLISECONDS ? FAR_FUTURE : Math.min(time / 1000, FAR_FUTURE);
}
