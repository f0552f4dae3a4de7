import { AuthError, isAuthError } from "../errors.js";
import type { Credentials } from "../grant.js";
import { retryUnprocessed } from "../retry.js";
import { isRefreshable, type Token } from "../token.js";
import { isGood, isRefused, type PlacedOptions, refresh, refusalReason } from "./refresh.js";
import type { Session } from "./session.js";

/**
 * A token without a person: stored, else refreshed, else granted anew for the credentials. All under the store's lock,
 * so that a fleet asks once.
 */
export async function obtainUnattended(
  session: Session,
  credentials: Credentials,
  options: PlacedOptions,
  signal: AbortSignal,
): Promise<Token> {
  const { store, config, context } = session;
  const { account } = session.options;
  const server = config.host;
  const good = (token: Token) => !options.force && isGood(token, context.now(), options);
  let outcome: "reused" | "refreshed" | "granted" = "reused";
  const work = async (current: Token | undefined, lostAt?: number): Promise<Token> => {
    if (current && good(current)) return current;
    if (current && !options.force && isRefreshable(current, context.now())) {
      try {
        const next = await refresh(session, current, signal, lostAt);
        outcome = "refreshed";
        return next;
      } catch (error) {
        if (!isRefused(error, session)) throw error;
        const reason = refusalReason(error, lostAt);
        context.emit({ type: "refresh_refused", server, code: error.code, reason });
      }
    }
    outcome = "granted";
    context.explain(`A token is asked for with ${credentials.description}.`);
    return grant(session, credentials, signal);
  };
  const token = await store.update(options.place, work, { account, signal, done: good });
  if (!token) throw new AuthError("store_unwritable", `${store.backend.description} did not keep the token.`);
  context.emit({ type: outcome, server });
  return token;
}

async function grant(session: Session, credentials: Credentials, signal: AbortSignal): Promise<Token> {
  const { context, options } = session;
  const server = await session.server(signal);
  const audience = await server.audience(context, signal);
  const attempt = async () => {
    const sources = { context, env: options.env ?? process.env, audience, signal };
    // Read for each attempt: a token that is rotated may be a new one by then.
    return server.grant(await credentials.request(sources), context, signal);
  };
  try {
    return await retryUnprocessed("the grant", context, attempt, signal);
  } catch (error) {
    if (!isAuthError(error, "invalid_grant", "invalid_client", "invalid_request", "unauthorized_client"))
      throw error;
    const { code, status, description, message } = error;
    throw new AuthError(code, `${message} It was asked with ${credentials.description}.`, {
      status,
      description,
      hint: "Check that the provider trusts these credentials for this client: issuer, subject and audience of the token, and that it has not ended.",
    });
  }
}
