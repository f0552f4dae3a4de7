import { publish } from "../debug/channel.js";
import { type CallbackListener, listenForCallback } from "../loopback/listener.js";
import type { CodeLogin } from "../servers/auth-server.js";
import { CallbackAnswer } from "./callback-answer.js";
import type { Session } from "./session.js";

/** A code login that was begun, and the listener that its answer comes back to. */
export interface BrowserCallback {
  readonly login: CodeLogin;
  readonly listener: CallbackListener;
  readonly answer: CallbackAnswer;
}

/**
 * Listens on this machine, then begins a code login whose answer comes back there. Whoever calls this closes the listener.
 *
 * @throws AuthError `no_free_port`, and what the server says; then nothing is left open
 */
export async function beginBrowserLogin(session: Session, signal: AbortSignal): Promise<BrowserCallback> {
  const { context } = session;
  const server = await session.server(signal);
  const plan = await server.redirects(context, signal);
  const answer = new CallbackAnswer(session, signal);
  const look = session.options.loopbackPages;
  const listener = await listenForCallback({ ...plan, handle: (url) => answer.reply(url), signal, look });
  const { redirectUri } = listener;
  publish(() => ({ type: "login", step: "listening", redirectUri }));
  try {
    const login = await server.beginCode(redirectUri, context, signal);
    answer.expect(login);
    return { login, listener, answer };
  } catch (error) {
    await listener.close();
    throw error;
  }
}
