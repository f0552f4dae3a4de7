import { AuthError, isAuthError } from "../errors.js";
import { isRefreshable, isUsable, type Token } from "../token.js";
import { retryUnprocessed } from "./retry.js";
import type { Session } from "./session.js";
import { share } from "./shared-work.js";

/** Why a login is needed, for the person and for the log. */
export interface LoginReason {
  readonly text: string;
  readonly cause?: AuthError;
}

/** Logs a person in; told why no stored token would do. */
export type Login = (reason: LoginReason, signal: AbortSignal) => Promise<Token>;

export interface ObtainOptions {
  readonly force: boolean;
  readonly signal: AbortSignal | undefined;
  /** Names the way of logging in: only calls that would do the same share it. */
  readonly sharedAs: string;
}

/**
 * The policy: a stored token that is still good, else a refreshed one, else a login. Concurrent calls in this process
 * share the work; other processes are met in the store.
 */
export async function obtainToken(session: Session, login: Login, options: ObtainOptions): Promise<Token> {
  const { store, config, context } = session;
  const { account } = session.options;
  if (!options.force) {
    const stored = await store.get(config.host, { account });
    if (stored && isUsable(stored, context.now())) {
      context.emit({ type: "reused", server: config.host });
      return stored;
    }
  }
  return share(store.backend, shareKey(session, options), options.signal, (signal) =>
    refreshOrLogIn(session, login, options.force, signal),
  );
}

/** Only calls that would do the very same share their work: nobody gets another one's settings. */
function shareKey({ config, options }: Session, { force, sharedAs }: ObtainOptions): string {
  const { account, timeout, interactive, ui, openBrowser, fetch } = options;
  const objects = [ui, openBrowser, fetch].map((one) => (typeof one === "boolean" ? one : identity(one)));
  return JSON.stringify([config, account, sharedAs, force, timeout, interactive, objects]);
}

let identities = 0;
const known = new WeakMap<object, number>();

/** A number for an object, always the same one. */
function identity(object: object | undefined): number {
  if (!object) return 0;
  const number = known.get(object) ?? ++identities;
  known.set(object, number);
  return number;
}

async function refreshOrLogIn(
  session: Session,
  login: Login,
  force: boolean,
  signal: AbortSignal,
): Promise<Token> {
  const { store, config } = session;
  const outcome = force ? { text: "a new login was asked for" } : await refreshStored(session, signal);
  if ("accessToken" in outcome) return outcome;
  // Before the person is troubled: a login that cannot be kept would be asked for again at once.
  await store.backend.assertWritable();
  const token = await login(outcome, signal);
  await store.put(config.host, token, { account: session.options.account });
  return token;
}

/** Refreshes what is stored, under the store's lock; a reason to log in where there is nothing to refresh. */
async function refreshStored(session: Session, signal: AbortSignal): Promise<Token | LoginReason> {
  const { store, config, context } = session;
  const { account } = session.options;
  const good = (token: Token) => isUsable(token, context.now());
  const stored = await store.get(config.host, { account });
  if (!stored) return { text: "no login is stored for it" };
  if (!isRefreshable(stored, context.now())) return { text: "the stored login has expired" };
  let refused: AuthError | undefined;
  let refreshed = false;
  const token = await store.update(
    config.host,
    async (current) => {
      // Somebody else was quicker, or forgot the login meanwhile.
      if (!current || good(current) || !isRefreshable(current, context.now())) return current;
      try {
        const next = await refresh(session, current, signal);
        refreshed = true;
        return next;
      } catch (error) {
        if (!isRefused(error)) throw leftAlone(error);
        context.emit({ type: "refresh_refused", server: config.host, code: error.code });
        refused = error;
        // Removed only where it is still the one that was refused: the store compares.
        return undefined;
      }
    },
    { account, signal, done: good },
  );
  if (token && (refreshed || good(token))) {
    context.emit({ type: refreshed ? "refreshed" : "reused", server: config.host });
    return token;
  }
  return refused
    ? { text: `the server refused to renew the stored login (${refused.code})`, cause: refused }
    : { text: "the stored login has expired" };
}

/** One refresh, sent again only where it surely was not processed. */
export async function refresh(session: Session, token: Token, signal?: AbortSignal): Promise<Token> {
  const { context, config } = session;
  const server = await session.server();
  context.emit({ type: "refresh_started", server: config.host });
  return retryUnprocessed("the refresh", context, () => server.refresh(token, context), signal);
}

/** Whether the server says that this refresh token is of no more use (RFC 6749 §5.2), as opposed to having trouble. */
function isRefused(error: unknown): error is AuthError {
  if (!isAuthError(error)) return false;
  return error.code === "invalid_grant" || (error.status === 401 && error.code === "request_failed");
}

function leftAlone(error: unknown): unknown {
  if (!isAuthError(error) || error.code === "login_cancelled" || error.code === "login_timeout") return error;
  const { code, status, description, serverCode, retryAfter, unprocessed, cause } = error;
  const hint = `${error.hint} The stored login was kept. If this stays, log in anew with force: true (--force).`;
  return new AuthError(code, `The stored login could not be renewed. ${error.message}`, {
    ...{ status, description, serverCode, retryAfter, unprocessed, cause, hint },
  });
}
