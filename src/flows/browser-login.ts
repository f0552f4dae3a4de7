import { listenForCallback } from "../loopback/listener.js";
import type { Token } from "../token.js";
import { CallbackAnswer } from "./callback-answer.js";
import type { LoginDisplay } from "./login-display.js";
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
  const { config, context } = session;
  const { ui, environment } = display;
  const server = await session.server(signal);
  const plan = await server.redirects(context, signal);
  const answer = new CallbackAnswer(session, signal);
  const listener = await listenForCallback({ ...plan, handle: (url) => answer.reply(url), signal });
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
