import type { LoginOptions } from "../options.js";
import type { Token } from "../token.js";
import { loginTimeout, startDeadline } from "./deadline.js";
import { withLoginUi } from "./login-display.js";
import { obtainToken } from "./obtain-token.js";
import { refreshBare } from "./refresh.js";
import { openSession, type Session, type Target } from "./session.js";

/** Seconds that a person has in the browser, where the caller sets no other time. */
const DEFAULT_TIMEOUT_SECONDS = 300;

/** Login in a browser on this machine, which comes back to a port of it (RFC 8252 §7.3, RFC 7636). */
export class CodeFlow {
  readonly #session: Session;

  /** @throws AuthError `invalid_config`, `insecure_host` */
  constructor(target: Target, options: LoginOptions = {}) {
    this.#session = openSession(target, options);
  }

  /**
   * A valid token: stored, else refreshed, else by a login in the browser.
   *
   * @param options.force log in even where a stored token would do
   * @throws AuthError `access_denied`, `login_timeout`, `login_cancelled`, `no_free_port`, …
   */
  async authenticate(options: { force?: boolean; signal?: AbortSignal } = {}): Promise<Token> {
    const session = this.#session;
    return obtainToken(session, (_reason, signal) => codeLogin(session, signal), {
      force: options.force ?? session.options.force ?? false,
      signal: options.signal ?? session.options.signal,
      sharedAs: "code",
    });
  }

  /** Renews a token (RFC 6749 §6). Stores nothing: `authenticate()` does that under the store's lock. */
  async refresh(refreshToken: string): Promise<Token> {
    return refreshBare(this.#session, refreshToken);
  }
}

/** One login of a person in the browser, shown on the session's display. */
export async function codeLogin(session: Session, signal: AbortSignal): Promise<Token> {
  const seconds = session.options.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  const deadline = startDeadline(seconds * 1000, session.context, () => loginTimeout(seconds), signal);
  try {
    const { logInByBrowser } = await import("./browser-login.js");
    return await withLoginUi(session, (display) =>
      logInByBrowser(session, display, deadline.at, deadline.signal),
    );
  } finally {
    deadline.end();
  }
}
