import { isAuthError } from "../errors.js";
import type { DeviceCode } from "../servers/auth-server.js";
import type { Token } from "../token.js";
import { type BrowserCallback, beginBrowserLogin } from "./browser-callback.js";
import { pollUntilGranted, secondsFor, shownCode } from "./device-flow.js";
import { type LoginDisplay, loginActions, withLoginUi } from "./login-display.js";
import { callbackFrom } from "./pasted-callback.js";
import type { Session } from "./session.js";

/** Which of the ways was the quicker one. */
export interface EitherLogin {
  readonly token: Token;
  readonly flow: "device" | "code";
}

/**
 * Offers all ways at once, for a person at a terminal whose browser is elsewhere: a code for any device, a browser on
 * this machine, and the address that it ended at, pasted. The first to finish wins, and ends the others.
 *
 * @throws AuthError `device_flow_unsupported` where there is nothing to choose from
 */
export async function eitherLogin(session: Session, signal: AbortSignal): Promise<EitherLogin> {
  const { context } = session;
  const server = await session.server(signal);
  const asked = context.uptime();
  const code = await server.beginDevice(context, signal);
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  let browser: BrowserCallback | undefined;
  try {
    browser = await beginBrowserLogin(session, until).catch((error: unknown) => {
      // The other way is open: a port that is taken, or a login page that is down, is no reason to give up.
      if (!isAuthError(error) || signal.aborted) throw error;
      context.explain(`The browser login is not offered: ${error.message}`);
      return undefined;
    });
    const found = browser;
    return await withLoginUi(session, (display) =>
      offer(session, display, { code, asked, browser: found }, until),
    );
  } finally {
    ended.abort();
    await browser?.listener.close();
  }
}

interface Offer {
  readonly code: DeviceCode;
  /** When the code was asked for, by the clock of `Context.uptime`. */
  readonly asked: number;
  readonly browser: BrowserCallback | undefined;
}

async function offer(
  session: Session,
  display: LoginDisplay,
  { code, asked, browser }: Offer,
  signal: AbortSignal,
): Promise<EitherLogin> {
  const { ui } = display;
  const { context } = session;
  const expiresAt = context.now() + secondsFor(session, code) * 1000 - (context.uptime() - asked);
  const here = browser && {
    url: browser.login.url.href,
    redirectUri: browser.listener.redirectUri,
  };
  const shown = { code: shownCode(code), expiresAt, ...(here && { here }) };
  await ui.show({ type: "device", server: session.config.host, ...shown });
  const waiting = loginActions(display, here?.url ?? code.uri, signal);
  const paste = (text: string) => {
    const callback = browser && callbackFrom(text, browser.listener.redirectUri);
    if (callback) void browser.answer.take(callback);
  };
  const stopWaiting = ui.waiting?.(expiresAt, { ...waiting.actions, ...(browser && { paste }) });
  try {
    const byDevice = pollUntilGranted(session, code, asked, waiting.signal);
    const byBrowser = browser?.answer.token;
    const ways = [byDevice.then((token): EitherLogin => ({ token, flow: "device" }))];
    if (byBrowser) ways.push(byBrowser.then((token): EitherLogin => ({ token, flow: "code" })));
    // The one that comes later ends with the signal, and nobody waits for it any more.
    for (const way of ways) way.catch(() => {});
    return await Promise.race(ways);
  } finally {
    stopWaiting?.();
  }
}
