import { untilAborted } from "../abort.js";
import type { Token } from "../token.js";
import { beginBrowserLogin } from "./browser-callback.js";
import { type LoginDisplay, loginActions } from "./login-display.js";
import { readPastedCallback } from "./pasted-callback.js";
import type { Session } from "./session.js";

/**
 * Listens, sends the person's browser to the login, and waits for it to come back, or for its address to be pasted.
 *
 * @param expiresAt Unix milliseconds, for display: `signal` is what ends the waiting
 */
export async function logInByBrowser(
  session: Session,
  display: LoginDisplay,
  expiresAt: number,
  signal: AbortSignal,
): Promise<Token> {
  const { config } = session;
  const { ui, environment } = display;
  const { login, listener, answer } = await beginBrowserLogin(session, signal);
  const finished = new AbortController();
  const stopped = AbortSignal.any([signal, finished.signal]);
  try {
    const paste = ui.canPaste === true;
    const waiting = loginActions(display, login.url.href, signal);
    const shown = ui.show({
      type: "code",
      server: config.host,
      url: login.url.href,
      redirectUri: listener.redirectUri,
      port: listener.port,
      ssh: environment.ssh,
      paste,
      expiresAt,
    });
    await untilAborted(Promise.resolve(shown), signal);
    // Who opens it may wait until it is closed: neither the answer nor the end of the time waits for that.
    const opened = display.openBrowser(login.url.href, signal);
    await untilAborted(Promise.race([opened, answer.token]), signal);
    const { actions } = waiting;
    const stopWaiting = paste ? undefined : ui.waiting?.(expiresAt, actions);
    try {
      if (paste) void readPastedCallback({ ui, redirectUri: listener.redirectUri, answer, actions }, stopped);
      return await untilAborted(answer.token, waiting.signal);
    } finally {
      stopWaiting?.();
    }
  } finally {
    finished.abort();
    await listener.close();
  }
}
