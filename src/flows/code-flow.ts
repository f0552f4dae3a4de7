import { DEFAULT_REDIRECT_PORTS } from "../config.js";
import { isAuthError } from "../errors.js";
import type { LoginOptions } from "../options.js";
import { Token } from "../token.js";
import { CallbackAnswer } from "./callback-answer.js";
import { loginTimeout, startDeadline } from "./deadline.js";
import { type LoginDisplay, withLoginUi } from "./login-display.js";
import { obtainToken, refresh } from "./obtain-token.js";
import { readPastedCallback } from "./pasted-callback.js";
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
    return refresh(this.#session, new Token({ accessToken: "", expiresAt: 0, refreshToken }));
  }
}

/** One login of a person in the browser, shown on the session's display. */
export async function codeLogin(session: Session, signal: AbortSignal): Promise<Token> {
  const seconds = session.options.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  const deadline = startDeadline(seconds * 1000, session.context.now(), () => loginTimeout(seconds), signal);
  try {
    return await withLoginUi(session, (display) =>
      logInByBrowser(session, display, deadline.at, deadline.signal),
    );
  } finally {
    deadline.end();
  }
}

async function logInByBrowser(
  session: Session,
  display: LoginDisplay,
  expiresAt: number,
  signal: AbortSignal,
): Promise<Token> {
  const { config, context } = session;
  const { ui, environment } = display;
  const server = await session.server();
  const { listenForCallback } = await import("../loopback/listener.js");
  const ports = await redirectPorts(session, signal);
  const answer = new CallbackAnswer(session, signal);
  const listener = await listenForCallback({ ports, handle: (url) => answer.reply(url), signal });
  const finished = new AbortController();
  const stopped = AbortSignal.any([signal, finished.signal]);
  try {
    const login = await server.beginCode(listener.redirectUri, context, signal);
    answer.expect(login);
    const paste = ui.canPaste === true;
    await ui.show({
      type: "code",
      server: config.host,
      url: login.url.href,
      redirectUri: listener.redirectUri,
      port: listener.port,
      ssh: environment.ssh,
      paste,
      expiresAt,
    });
    await display.openBrowser(login.url.href, signal);
    const stopWaiting = paste ? undefined : ui.waiting?.(expiresAt);
    try {
      if (paste) void readPastedCallback(ui, listener.redirectUri, answer, stopped);
      return await answer.token;
    } finally {
      stopWaiting?.();
    }
  } finally {
    finished.abort();
    await listener.close();
  }
}

async function redirectPorts(session: Session, signal: AbortSignal): Promise<readonly number[]> {
  const { config, context } = session;
  if (config.redirectPorts) return config.redirectPorts;
  const server = await session.server();
  try {
    const listed = await server.redirectPorts(context, signal);
    if (listed.length > 0) return listed;
  } catch (error) {
    // Most servers have no such route; one that is down says so better when the login begins.
    if (!isAuthError(error, "network_error", "invalid_response")) throw error;
  }
  return DEFAULT_REDIRECT_PORTS;
}
