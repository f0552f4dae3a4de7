import { publish } from "../debug/channel.js";
import { masked } from "../debug/masked.js";
import { AuthError, cancelled, isAuthError } from "../errors.js";
import { unverifiedClaims } from "../jwt.js";
import type { CallbackReply } from "../loopback/listener.js";
import { denied, failed, ignored, success } from "../loopback/pages.js";
import { retryUnprocessed } from "../retry.js";
import type { CodeLogin } from "../servers/auth-server.js";
import { cleanText } from "../text.js";
import type { Token } from "../token.js";
import type { Session } from "./session.js";

/**
 * The one answer that a browser login waits for. Whatever does not belong to this login changes nothing; the first
 * callback that does decides, and later ones (prefetches, link scanners, a second tab) see the same outcome.
 */
export class CallbackAnswer {
  /** Settles with the login. */
  readonly token: Promise<Token>;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #settle: (outcome: Promise<Token>) => void = () => {};
  #login: CodeLogin | undefined;
  #outcome: Promise<Token> | undefined;

  /** @param signal ends the waiting, and with it {@link token} */
  constructor(session: Session, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
    this.token = new Promise<Token>((resolve, reject) => {
      this.#settle = resolve;
      if (signal.aborted) reject(cancelled(signal));
      signal.addEventListener("abort", () => reject(cancelled(signal)), { once: true });
    });
    // It may fail before anybody waits for it.
    this.token.catch(() => {});
  }

  /** From now on the callback of this login is the one. */
  expect(login: CodeLogin): void {
    this.#login = login;
  }

  /** Takes a callback; `undefined` where it does not belong to this login. */
  take(callback: URL): Promise<Token> | undefined {
    const login = this.#login;
    const ours = login?.matches(callback) ?? false;
    publish(() => ({ type: "login", step: "callback", parameters: masked(callback.searchParams), ours }));
    if (!login || !ours) return undefined;
    if (!this.#outcome) {
      this.#outcome = retryUnprocessed(
        "the exchange of the code",
        this.#session.context,
        () => login.redeem(callback, this.#signal),
        this.#signal,
      );
      this.#settle(this.#outcome);
    }
    return this.#outcome;
  }

  /** Answers the browser. */
  async reply(callback: URL): Promise<CallbackReply> {
    const { config, context } = this.#session;
    const outcome = this.take(callback);
    if (!outcome) {
      context.emit({ type: "callback_ignored", reason: "it does not belong to this login" });
      return { status: 400, page: ignored() };
    }
    try {
      return { status: 200, page: success(config.host, whoIs(await outcome)) };
    } catch (error) {
      if (isAuthError(error, "access_denied")) return { status: 200, page: denied(config.host) };
      const { message, hint } = isAuthError(error)
        ? error
        : new AuthError("request_failed", "The login failed.");
      return { status: 400, page: failed(config.host, message, hint) };
    }
  }
}

/** As whom the person is logged in, as the tokens say; only shown, never trusted. */
function whoIs({ idToken, accessToken }: Token): string | undefined {
  const claims = unverifiedClaims(idToken ?? "") ?? unverifiedClaims(accessToken) ?? {};
  const named = ["preferred_username", "email", "name"].map((name) => claims[name]);
  const who = named.find((one): one is string => typeof one === "string" && one !== "");
  return who === undefined ? undefined : cleanText(who, 100);
}
