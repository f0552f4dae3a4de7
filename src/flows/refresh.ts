import { type AuthError, cancelled, isAuthError } from "../errors.js";
import { retryUnprocessed } from "../retry.js";
import { invalid, secret } from "../settings/checks.js";
import type { StoreTarget } from "../store/server-slot.js";
import { isUsable, Token } from "../token.js";
import type { Session } from "./session.js";

export interface ObtainOptions {
  readonly force: boolean;
  readonly signal: AbortSignal | undefined;
  /** Names the way of logging in: only calls that would do the same share it. */
  readonly sharedAs: string;
  /** An access token that an API has just refused: it is not good, whatever its end says. */
  readonly rejected?: string | undefined;
}

/** The same, once it is known where the token is kept: worked out once, as credentials may come to name another subject. */
export interface PlacedOptions extends ObtainOptions {
  readonly place: StoreTarget;
}

/** Whether a stored token will do. @param now Unix milliseconds */
export function isGood(token: Token, now: number, { rejected }: Pick<ObtainOptions, "rejected">): boolean {
  return isUsable(token, now) && token.accessToken !== rejected;
}

/**
 * One refresh, sent again only where it surely was not processed.
 *
 * @param lostAt since when (Unix seconds) it is not known whether the refresh token was spent
 */
export async function refresh(
  session: Session,
  token: Token,
  signal?: AbortSignal,
  lostAt?: number,
): Promise<Token> {
  const { context, config } = session;
  const server = await session.server(signal);
  if (signal?.aborted) throw cancelled(signal);
  context.emit({ type: "refresh_started", server: config.host, ...(lostAt !== undefined && { lostAt }) });
  if (lostAt !== undefined) {
    context.explain(
      `The answer to a renewal may have been lost (${timeOf(lostAt)}): its refresh token is tried once more, as some servers take it again for a while.`,
    );
  }
  const attempt = () => server.refresh(token, context, signal);
  try {
    const next = await retryUnprocessed("the refresh", context, attempt, signal);
    reportMissing(session, next, token.scope);
    return next;
  } catch (error) {
    if (isAuthError(error) && error.answerLost) context.emit({ type: "refresh_lost", server: config.host });
    throw error;
  }
}

/** One refresh by the bare refresh token, which stores nothing. @throws AuthError `invalid_config` where it is none */
export async function refreshBare(session: Session, given: string): Promise<Token> {
  const refreshToken = secret("refreshToken", given);
  if (refreshToken === undefined) throw invalid("refreshToken", "is missing", undefined);
  const bare = new Token({ accessToken: "", expiresAt: 0, refreshToken });
  return refresh(session, bare, session.options.signal);
}

/**
 * Why a login cannot be renewed, as far as can be told: an answer that was lost is one thing, a login that somebody else
 * ended or used is another.
 */
export function refusalReason({ code, status }: AuthError, lostAt: number | undefined): string {
  if (status === undefined) return "the stored login is of another client or issuer";
  const said = code === "request_failed" ? status : code;
  if (code === "invalid_client") return `the server does not know this program any more (${said})`;
  return lostAt === undefined
    ? `the server refused to renew the stored login (${said}): it was ended, or its refresh token was used by somebody else, or by another program that has a copy of it`
    : `the answer to its last renewal was lost on the way (${timeOf(lostAt)}), and the server takes its old refresh token no more (${said})`;
}

function timeOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Whether the server says that this refresh token is of no more use (RFC 6749 §5.2), as opposed to having trouble. */
export function isRefused(error: unknown, { config }: Session): error is AuthError {
  if (!isAuthError(error)) return false;
  if (error.code === "invalid_grant") return true;
  // The routes say it so in broker mode; at an issuer it is some gateway's page, which knows nothing of the login.
  return config.settings.kind === "routes" && error.status === 401 && error.code === "request_failed";
}

/** Scopes that say how to log in rather than what may be done; servers need not repeat them. */
const UNREPEATED = new Set(["openid", "offline_access", "profile", "email"]);

/** Tells where a server grants less than was asked for (RFC 6749 §3.3), or than before. */
export function reportMissing({ context, config }: Session, token: Token, expected: string): void {
  if (token.scope === "" || expected === "") return;
  const granted = new Set(token.scope.split(/[\s,]+/));
  const missing = expected
    .split(/[\s,]+/)
    .filter((scope) => scope && !granted.has(scope) && !UNREPEATED.has(scope));
  if (missing.length > 0) context.emit({ type: "scope_reduced", server: config.host, missing });
}
