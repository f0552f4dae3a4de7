import { AuthError } from "../errors.js";
import type { Token } from "../token.js";
import { isGood, type PlacedOptions } from "./refresh.js";
import type { Session } from "./session.js";

/** How often (milliseconds) the store is looked at while a person is asked to log in. */
const LOOK_MS = 2000;

/** Ends a login that has become needless. It reaches the login's display, and no caller. */
export class LoggedInElsewhere extends AuthError {
  constructor() {
    super("login_cancelled", "Another process has logged in meanwhile: its login is used.");
  }
}

/** A token, and whether it was stored by another process, which was quicker. */
export interface LoginOutcome {
  readonly token: Token;
  readonly elsewhere: boolean;
}

/**
 * Logs a person in, and stops asking them where another process that shares the store has got a login for the same
 * place: whoever is asked twice answers once. No lock is held meanwhile, as nobody knows how long a person takes.
 *
 * @param login ends with the signal that it is given
 */
export async function logInUnlessElsewhere(
  session: Session,
  options: PlacedOptions,
  login: (signal: AbortSignal) => Promise<Token>,
  signal: AbortSignal,
): Promise<LoginOutcome> {
  // A new login was asked for: what is stored was not wanted.
  if (options.force) return { token: await login(signal), elsewhere: false };
  const { store, config, context } = session;
  const needless = new AbortController();
  let found: Token | undefined;
  let looking = false;
  const look = async () => {
    // A store that hangs is not asked again and again.
    if (looking) return;
    looking = true;
    try {
      const stored = await store.get(options.place, { account: session.options.account });
      if (!stored || !isGood(stored, context.now(), options)) return;
      found = stored;
      needless.abort(new LoggedInElsewhere());
    } catch {
      // One that cannot be read just now is looked at again.
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  try {
    return { token: await login(AbortSignal.any([signal, needless.signal])), elsewhere: false };
  } catch (error) {
    if (found === undefined || signal.aborted) throw error;
    context.emit({ type: "login_elsewhere", server: config.host });
    context.emit({ type: "reused", server: config.host });
    return { token: found, elsewhere: true };
  } finally {
    clearInterval(timer);
  }
}
