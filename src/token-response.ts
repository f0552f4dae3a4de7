import { AuthError } from "./errors.js";
import { isRecord, unverifiedClaims } from "./jwt.js";
import {
  type DpopKey,
  FAR_FUTURE,
  isHeaderSafe,
  KNOWN_TYPES,
  positive,
  Token,
  unixSeconds,
} from "./token.js";

/** What surrounds a token answer. */
export interface TokenAnswer {
  /** Who gave it, for messages: "token route (https://auth.example.org/auth/v2/token)". Default "server". */
  readonly from?: string | undefined;
  /** Unix milliseconds of the answer. */
  readonly now: number;
  /** How far (milliseconds) the server's clock is ahead of ours. Default 0. */
  readonly skew?: number | undefined;
  /** The token that was refreshed: it keeps its refresh token, scope and id token where the answer has none (RFC 6749 §6). */
  readonly previous?: Token | undefined;
  /** The key that was proven to the server: a token may be bound to it. */
  readonly dpopKey?: DpopKey | undefined;
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
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
 * @throws AuthError `invalid_response` where the answer holds no usable token; what was spent for it is lost
 */
export function tokenFromResponse(body: unknown, answer: TokenAnswer): Token {
  const { from = "server", now, previous, skew = 0, dpopKey } = answer;
  const incomplete = (what: string) =>
    new AuthError("invalid_response", `The answer of the ${from} cannot be used: ${what}.`, {
      answerLost: true,
    });
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
    scope: scopeOf(body) ?? previous?.scope,
    idToken: text(body["id_token"]) ?? previous?.idToken,
    issuedAt: Math.floor(time.seconds),
    dpopKey: bound ? dpopKey : undefined,
    issuer: answer.issuer,
    clientId: answer.clientId,
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
    const value = unixSeconds(body[name]);
    const end = value === undefined ? 0 : onOurClock(value, skewSeconds);
    // Nobody grants what has ended already: such a time is none, or of a clock that is wrong.
    if (end > seconds) return end;
  }
  for (const name of relative) {
    const value = positive(body[name]);
    if (value !== undefined) return Math.min(Math.floor(seconds + value), FAR_FUTURE);
  }
  return undefined;
}

/** The `exp` claim of a JWT, unverified: only a hint about how long to keep it, never a reason to trust it. */
function jwtEnd(jwt: string, { skewSeconds }: AnswerTime): number | undefined {
  const end = unixSeconds(unverifiedClaims(jwt)?.["exp"]);
  return end === undefined ? undefined : onOurClock(end, skewSeconds);
}

/** A time of the server's clock, on ours, however wrong that clock is; what means "never" stays so. */
function onOurClock(end: number, skewSeconds: number): number {
  const ours = end >= FAR_FUTURE ? FAR_FUTURE : Math.floor(end - skewSeconds);
  return Math.min(Math.max(ours, 0), FAR_FUTURE);
}

/** Scope names are visible ASCII (RFC 6749 §3.3): what is not is none, and must not get to a screen. */
function scopeOf(body: Record<string, unknown>): string | undefined {
  const names = text(body["scope"])?.split(/\s+/) ?? [];
  return text(names.filter((name) => /^[\x21-\x7e]+$/.test(name)).join(" "));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
