import { isRecord, unverifiedClaims } from "../jwt.js";
import { FAR_FUTURE, isHeaderSafe, KNOWN_TYPES, Token, unixSeconds } from "../token.js";
import type { Entry } from "./backend.js";

/** An entry is of no more use this many seconds before its last end (as in the Python client). */
const GONE_MARGIN_SECONDS = 30;
/** A refresh expiry this close (seconds) after storing says nothing: servers fill a missing one with now + 180. */
const MEANINGLESS_SECONDS = 200;

/** Whether a value from a store has the shape of an entry; what has not is left alone. */
export function isEntry(value: unknown): value is Entry {
  return isRecord(value) && isRecord(value["token"]) && isText(value["token"]["access_token"]);
}

/** The token of an entry, written by us or by the Python client, which does not look at what a server gives it. */
export function tokenFromEntry(entry: Entry): Token | undefined {
  const { token } = entry;
  const accessToken = token["access_token"];
  // What no header can carry is no token: the platform would quote it where it is put into one.
  if (!isText(accessToken) || !isHeaderSafe(accessToken)) return undefined;
  const storedAt = unixSeconds(entry.stored_at);
  const [type, refreshToken] = [token["token_type"], token["refresh_token"]];
  return new Token({
    accessToken,
    tokenType: isText(type) && KNOWN_TYPES.has(type.toLowerCase()) ? type : undefined,
    expiresAt: accessEnd(token) ?? 0,
    refreshToken: isText(refreshToken) ? refreshToken : undefined,
    refreshExpiresAt: isText(refreshToken) ? refreshEnd(token, storedAt) : undefined,
    scope: isText(token["scope"]) ? token["scope"] : undefined,
    idToken: isText(token["id_token"]) ? token["id_token"] : undefined,
    issuer: isText(token["issuer"]) ? token["issuer"] : undefined,
    clientId: isText(token["client_id"]) ? token["client_id"] : undefined,
    dpopKey: isRecord(token["dpop_jwk"]) ? token["dpop_jwk"] : undefined,
    issuedAt: storedAt,
  });
}

/** Where the store does not say, or not in a way that can be read, a JWT does itself (unverified: a hint, no trust). */
function accessEnd(token: Entry["token"]): number | undefined {
  const stated = unixSeconds(token["expires"]);
  return stated ?? unixSeconds(unverifiedClaims(String(token["access_token"]))?.["exp"]);
}

function refreshEnd(token: Entry["token"], storedAt: number | undefined): number | undefined {
  const end = unixSeconds(token["refresh_expires"]);
  if (end === undefined || end >= FAR_FUTURE) return undefined;
  return storedAt !== undefined && end <= storedAt + MEANINGLESS_SECONDS ? undefined : end;
}

/**
 * The entry for a token: members of the previous entry that we do not know survive.
 *
 * @param now Unix milliseconds
 */
export function entryFromToken(
  token: Token,
  server: string | undefined,
  now: number,
  previous?: Entry,
): Entry {
  const {
    id_token: _id,
    dpop_jwk: _key,
    issuer: _issuer,
    client_id: _client,
    ...kept
  } = previous?.token ?? {};
  // Another token: what is not known of the one before is of no more interest.
  const { refresh_lost_at: _lost, ...rest } = previous ?? {};
  return {
    ...rest,
    token: { ...kept, ...tokenJson(token) },
    stored_at: token.issuedAt ?? now / 1000,
    ...(server !== undefined && { server }),
  };
}

/** Since when (Unix seconds) it is not known whether an entry's refresh token was spent. */
export function refreshLostAt({ refresh_lost_at: lost, stored_at: stored }: Entry): number | undefined {
  const since = unixSeconds(lost);
  // The Python client keeps what it does not know, also when it stores another token.
  return since !== undefined && since >= (unixSeconds(stored) ?? 0) ? since : undefined;
}

/** Whether two entries hold the same login, whatever is known of its refresh token. */
export function sameLogin(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [{ refresh_lost_at: _a, ...left }, { refresh_lost_at: _b, ...right }] = [a, b];
  return sameEntry(left, right);
}

/** A token as the Python client writes and prints it (snake_case). */
export function tokenJson(token: Token): Record<string, unknown> {
  return {
    access_token: token.accessToken,
    token_type: token.tokenType,
    expires: token.expiresAt,
    refresh_token: token.refreshToken ?? "",
    refresh_expires:
      token.refreshToken === undefined ? token.expiresAt : (token.refreshExpiresAt ?? FAR_FUTURE),
    scope: token.scope,
    headers: { ...token.headers },
    ...(token.idToken !== undefined && { id_token: token.idToken }),
    ...(token.issuer !== undefined && { issuer: token.issuer }),
    ...(token.clientId !== undefined && { client_id: token.clientId }),
    ...(token.dpopKey !== undefined && { dpop_jwk: token.dpopKey }),
  };
}

/** When (Unix seconds) the last use of an entry ends; `undefined` where that is unknown or never. */
export function lastEnd(entry: Entry): number | undefined {
  const token = isEntry(entry) ? tokenFromEntry(entry) : undefined;
  return token && lastUse(token);
}

function lastUse(token: Token): number | undefined {
  if (token.refreshToken !== undefined && token.refreshExpiresAt === undefined) return undefined;
  // An end that cannot be read is none to remove a login by.
  if (token.refreshToken === undefined && token.expiresAt === 0) return undefined;
  return Math.max(token.expiresAt, token.refreshExpiresAt ?? 0);
}

/**
 * Whether an entry is of no more use: neither its access token nor its refresh token can be.
 *
 * @param now Unix milliseconds
 */
export function isGone(entry: Entry, now: number): boolean {
  return isPast(lastEnd(entry), now);
}

/** The token of an entry, unless it is of no more use. @param now Unix milliseconds */
export function liveToken(entry: Entry, now: number): Token | undefined {
  const token = tokenFromEntry(entry);
  return token && isPast(lastUse(token), now) ? undefined : token;
}

function isPast(end: number | undefined, now: number): boolean {
  return end !== undefined && end - GONE_MARGIN_SECONDS <= now / 1000;
}

/** Whether two entries are the same one, whatever the order of their members, and however deep they are. */
export function sameEntry(one: unknown, other: unknown): boolean {
  const pairs: [unknown, unknown][] = [[one, other]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair;
    if (a === b) continue;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
    for (const key of keys) {
      if (!Object.hasOwn(right, key)) return false;
      pairs.push([left[key], right[key]]);
    }
  }
  return true;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
