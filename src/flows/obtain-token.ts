import { untilAborted } from "../abort.js";
import { isObserved, publish } from "../debug/channel.js";
import { AuthError, isAuthError } from "../errors.js";
import { isRefreshable, isUsable, type Token } from "../token.js";
import { logInUnlessElsewhere } from "./login-elsewhere.js";
import {
  isGood,
  isRefused,
  type ObtainOptions,
  type PlacedOptions,
  refresh,
  refusalReason,
  reportMissing,
} from "./refresh.js";
import type { Session } from "./session.js";
import { share } from "./shared-work.js";

/** Why a login is needed, for the person and for the log. */
export interface LoginReason {
  readonly text: string;
  readonly cause?: AuthError;
}

/** Logs a person in; told why no stored token would do. */
export type Login = (reason: LoginReason, signal: AbortSignal) => Promise<Token>;

/**
 * The policy: a stored token that is still good, else a refreshed one, else a login. Concurrent calls in this process
 * share the work; other processes are met in the store.
 */
export async function obtainToken(session: Session, login: Login, options: ObtainOptions): Promise<Token> {
  try {
    return await storedOrNew(session, login, options);
  } catch (error) {
    publish(() => {
      const { code, message } = isAuthError(error)
        ? error
        : { code: "unexpected" as const, message: foreignName(error) };
      return { type: "failed", code, message };
    });
    throw error;
  }
}

/** Of what is no error of ours only its kind: its message may hold anything. */
function foreignName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

async function storedOrNew(session: Session, login: Login, options: ObtainOptions): Promise<Token> {
  const { store, config, context } = session;
  const { account } = session.options;
  const { signal } = options;
  const place = await untilAborted(session.place(), signal);
  if (options.force) {
    context.explain("A new login was asked for, so that the store is not looked at.");
  } else {
    const stored = await untilAborted(store.get(place, { account }), signal);
    explainStored(session, stored, options);
    if (stored && isGood(stored, context.now(), options)) {
      context.emit({ type: "reused", server: config.host });
      return stored;
    }
  }
  const placed = { ...options, place };
  return share(store.backend, shareKey(session, placed), signal, (until) =>
    refreshOrLogIn(session, login, placed, until),
  );
}

function explainStored(
  { store, context, options: asked }: Session,
  stored: Token | undefined,
  options: ObtainOptions,
): void {
  // Most calls ask for no explanation, and should not pay for one.
  if (!asked.explain && !isObserved()) return;
  const where = store.backend.description;
  if (!stored) {
    context.explain(`There is no login in ${where}.`);
    return;
  }
  const left = Math.round(stored.expiresAt - context.now() / 1000);
  const ends = left > 0 ? `ends in ${left} s` : `ended ${-left} s ago`;
  if (stored.accessToken === options.rejected)
    context.explain(`The token in ${where} was refused: it is renewed.`);
  else if (isGood(stored, context.now(), options))
    context.explain(`The token in ${where} is used: it ${ends}.`);
  else {
    const renewable = isRefreshable(stored, context.now()) ? "it is renewed" : "it cannot be renewed";
    context.explain(`The token in ${where} ${ends}: ${renewable}.`);
  }
}

/** Only calls that would do the very same share their work: nobody gets another one's settings. */
function shareKey({ config, options }: Session, { force, sharedAs, rejected, place }: PlacedOptions): string {
  const { account, timeout, requestTimeout, interactive, ui, openBrowser, fetch, network } = options;
  const { credentials, ...settings } = config.settings;
  const objects = [ui, openBrowser, fetch, credentials].map((one) =>
    typeof one === "boolean" ? one : identity(one),
  );
  return JSON.stringify([
    settings,
    // What the settings do not say: whose token the credentials give.
    typeof place === "string" ? place : "",
    account,
    sharedAs,
    force,
    rejected,
    timeout,
    requestTimeout,
    interactive,
    network,
    objects,
  ]);
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
  options: PlacedOptions,
  signal: AbortSignal,
): Promise<Token> {
  const { store, config } = session;
  const { credentials } = config.settings;
  if (credentials) {
    const { obtainUnattended } = await import("./unattended.js");
    return obtainUnattended(session, credentials, options, signal);
  }
  const outcome = options.force
    ? { text: "a new login was asked for" }
    : await refreshStored(session, options, signal);
  if ("accessToken" in outcome) return outcome;
  // Before the person is troubled: a login that cannot be kept would be asked for again at once.
  await store.backend.assertWritable();
  const once = (until: AbortSignal) => logInAsRegistered(session, () => login(outcome, until));
  const { token, elsewhere } = await logInUnlessElsewhere(session, options, once, signal);
  if (elsewhere) return token;
  reportMissing(session, token, (config.settings.scopes ?? []).join(" "));
  await store.put(options.place, token, { account: session.options.account });
  return token;
}

/** A server may forget who registered with it: then the login registers anew. */
async function logInAsRegistered(session: Session, login: () => Promise<Token>): Promise<Token> {
  try {
    return await login();
  } catch (error) {
    const unknown = isAuthError(error, "invalid_client", "unauthorized_client");
    if (!unknown || !(await session.forgetRegistration())) throw error;
    return login();
  }
}

/** Refreshes what is stored, under the store's lock; a reason to log in where there is nothing to refresh. */
async function refreshStored(
  session: Session,
  options: PlacedOptions,
  signal: AbortSignal,
): Promise<Token | LoginReason> {
  const { store, config, context } = session;
  const { account } = session.options;
  const { place } = options;
  const good = (token: Token) => isGood(token, context.now(), options);
  const stored = await store.get(place, { account });
  if (!stored) return { text: "no login is stored for it" };
  if (!isRefreshable(stored, context.now())) {
    return {
      text: isUsable(stored, context.now()) ? "the stored token was refused" : "the stored login has expired",
    };
  }
  let refused: LoginReason | undefined;
  let refreshed = false;
  const token = await store.update(
    place,
    async (current, lostAt) => {
      // Somebody else was quicker, or forgot the login meanwhile.
      if (!current || good(current) || !isRefreshable(current, context.now())) {
        context.explain("Another process was quicker: what it stored is used.");
        return current;
      }
      context.explain("The store is locked for this login: the server is asked once, for all who wait.");
      try {
        const next = await refresh(session, current, signal, lostAt);
        refreshed = true;
        return next;
      } catch (error) {
        // A server that forgot who registered with it refuses whatever that client has.
        const forgotten = isAuthError(error, "invalid_client") && (await session.forgetRegistration());
        if (!forgotten && !isRefused(error, session)) throw leftAlone(error);
        const reason = refusalReason(error, lostAt);
        context.emit({ type: "refresh_refused", server: config.host, code: error.code, reason });
        refused = { text: reason, cause: error };
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
  if (refused) return refused;
  return {
    text: token ? "the stored login has expired" : "another process has just removed the stored login",
  };
}

function leftAlone(error: unknown): unknown {
  if (!isAuthError(error) || error.code === "login_cancelled" || error.code === "login_timeout") return error;
  const { code, status, description, serverCode, retryAfter, unprocessed, answerLost, cause } = error;
  const next = answerLost
    ? "The server may have renewed it all the same: the next call tries it once more, and asks for a login where that is refused."
    : "If this stays, log in anew with force: true (--force).";
  return new AuthError(code, `The stored login could not be renewed. ${error.message}`, {
    ...{ status, description, serverCode, retryAfter, unprocessed, answerLost, cause },
    hint: `${error.hint} The stored login was kept. ${next}`,
  });
}
