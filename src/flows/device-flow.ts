import { AuthError, isAuthError } from "../errors.js";
import type { ShownDeviceCode } from "../login-ui.js";
import type { LoginOptions } from "../options.js";
import type { DeviceCode } from "../servers/auth-server.js";
import { duration } from "../settings/checks.js";
import type { Token } from "../token.js";
import { loginTimeout, startDeadline } from "./deadline.js";
import { loginActions, withLoginUi } from "./login-display.js";
import { obtainToken } from "./obtain-token.js";
import { refreshBare } from "./refresh.js";
import { openSession, type Session, type Target } from "./session.js";

/** What a `slow_down` adds to the interval, in seconds (RFC 8628 §3.5). */
const SLOW_DOWN_SECONDS = 5;
/** Polling a little slower than asked: clocks drift, and too quick a poll costs five seconds more. */
const LATER = 1.05;
/** Longest pause after failures, in milliseconds. */
const MAX_BACKOFF_MS = 60_000;

/** Login with a code that the person enters on any device (RFC 8628). */
export class DeviceFlow {
  readonly #session: Session;

  /** @throws AuthError `invalid_config`, `insecure_host` */
  constructor(target: Target, options: LoginOptions = {}) {
    this.#session = openSession(target, options);
  }

  /**
   * A valid token: stored, else refreshed, else by a login with a device code.
   *
   * @param options.force log in even where a stored token would do
   * @throws AuthError `access_denied`, `expired_token`, `login_timeout`, `login_cancelled`, `device_flow_unsupported`, …
   */
  async authenticate(options: { force?: boolean; signal?: AbortSignal } = {}): Promise<Token> {
    const session = this.#session;
    return obtainToken(session, (_reason, signal) => deviceLogin(session, signal), {
      force: options.force ?? session.options.force ?? false,
      signal: options.signal ?? session.options.signal,
      sharedAs: "device",
    });
  }

  /**
   * Asks for a device code (RFC 8628 §3.1).
   *
   * @throws AuthError `device_flow_unsupported` where the server has no device flow
   */
  async getDeviceCode(options: { signal?: AbortSignal } = {}): Promise<DeviceCode> {
    const signal = options.signal ?? this.#session.options.signal;
    const server = await this.#session.server(signal);
    return server.beginDevice(this.#session.context, signal);
  }

  /**
   * Waits until the person has entered the code (RFC 8628 §3.4), no longer than the code is valid. Stores nothing.
   *
   * @param interval seconds between polls; default: what the server asked for
   * @throws AuthError `access_denied`, `expired_token`, `login_timeout`, `login_cancelled`, `invalid_config`
   */
  async poll(
    code: DeviceCode,
    interval = code?.interval,
    options: { signal?: AbortSignal } = {},
  ): Promise<Token> {
    // A poll that waits for no time at all would be one of hundreds in a second.
    duration("code.expiresIn", code?.expiresIn);
    duration("interval", interval);
    const session = this.#session;
    const signal = options.signal ?? session.options.signal;
    return pollUntilGranted(session, { ...code, interval }, session.context.uptime(), signal);
  }

  /** Renews a token (RFC 6749 §6). Stores nothing: `authenticate()` does that under the store's lock. */
  async refresh(refreshToken: string): Promise<Token> {
    return refreshBare(this.#session, refreshToken);
  }
}

/** One login of a person by device code, shown on the session's display. */
export async function deviceLogin(
  session: Session,
  signal: AbortSignal,
  started?: DeviceCode,
): Promise<Token> {
  const { config, context } = session;
  const server = await session.server(signal);
  const asked = context.uptime();
  const code = started ?? (await server.beginDevice(context, signal));
  return withLoginUi(session, async (display) => {
    const { ui } = display;
    const expiresAt = context.now() + secondsFor(session, code) * 1000 - (context.uptime() - asked);
    await ui.show({ type: "device", server: config.host, code: shownCode(code), expiresAt });
    const waiting = loginActions(display, code.uri, signal);
    const stopWaiting = ui.waiting?.(expiresAt, waiting.actions);
    try {
      return await pollUntilGranted(session, code, asked, waiting.signal);
    } finally {
      stopWaiting?.();
    }
  });
}

/** Seconds that a login with a code may take, from when it was asked for. */
export function secondsFor({ options }: Session, { expiresIn }: DeviceCode): number {
  return Math.min(expiresIn, options.timeout ?? Infinity);
}

/** What a display gets: all but what we poll with. */
export function shownCode({ deviceCode: _secret, ...code }: DeviceCode): ShownDeviceCode {
  return code;
}

/** @param asked when the code was asked for, by the clock of `Context.uptime` */
export async function pollUntilGranted(
  session: Session,
  code: DeviceCode,
  asked: number,
  signal?: AbortSignal,
): Promise<Token> {
  const { context } = session;
  const server = await session.server(signal);
  const seconds = secondsFor(session, code);
  const left = () => Math.max(0, asked + seconds * 1000 - context.uptime());
  let trouble: AuthError | undefined;
  const timedOut = () => {
    const end = seconds === code.expiresIn ? codeExpired() : loginTimeout(seconds);
    return trouble ? afterTrouble(end, trouble) : end;
  };
  // A request under way when the time is up is cut short.
  const deadline = startDeadline(left(), context, timedOut, signal);
  let interval = code.interval * 1000 * LATER;
  let failures = 0;
  let pause = interval;
  try {
    for (;;) {
      await context.sleep(Math.min(pause, left()), deadline.signal);
      if (left() === 0) throw timedOut();
      try {
        const poll = await server.redeemDevice(code.deviceCode, context, deadline.signal);
        if (poll.status === "granted") return poll.token;
        if (poll.status === "slow_down") interval += SLOW_DOWN_SECONDS * 1000;
        failures = 0;
        trouble = undefined;
        pause = interval;
      } catch (error) {
        // It says itself that the time is up, and why: with what the last answer was.
        if (deadline.signal.aborted) throw error;
        if (!isPassing(error)) throw trouble?.answerLost ? afterLostAnswer(error) : error;
        if ((error.retryAfter ?? 0) * 1000 > left()) throw askedTooLate(error, seconds);
        failures++;
        trouble = error;
        pause = Math.max(
          (error.retryAfter ?? 0) * 1000,
          Math.min(interval * 2 ** (failures - 1), Math.max(interval, MAX_BACKOFF_MS)),
        );
        context.emit({ type: "retrying", what: "polling", delayMs: pause, reason: error.message });
      }
    }
  } finally {
    deadline.end();
  }
}

/** Trouble on the way or at the server that a later poll may not meet. */
function isPassing(error: unknown): error is AuthError {
  if (!isAuthError(error)) return false;
  if (error.code === "network_error") return true;
  return error.status === 408 || error.status === 429 || (error.status ?? 0) >= 500;
}

function codeExpired(): AuthError {
  return new AuthError("expired_token", "The code was not entered while it was valid.");
}

/** The end of a login whose last poll failed: the person may have done all that they were asked to. */
function afterTrouble({ code, message }: AuthError, cause: AuthError): AuthError {
  const what = code === "login_timeout" ? message : "The code ran out.";
  return new AuthError(code, `${what} The server could not tell whether it was entered: ${cause.message}`, {
    status: cause.status,
    cause,
    hint: `${cause.hint} Then start the login again.`,
  });
}

/** A code is good for one token: a poll whose answer was lost may have got it. */
function afterLostAnswer(error: unknown): unknown {
  if (!isAuthError(error, "invalid_grant")) return error;
  const { code, message, status, description } = error;
  const why = "The answer to the poll before was lost on the way: it may have been the one with the token.";
  return new AuthError(code, `${message} ${why}`, {
    ...{ status, description },
    hint: "Start the login again.",
  });
}

/** No poll can come in time where the server wants a longer pause than is left: nobody is kept waiting for that. */
function askedTooLate(error: AuthError, seconds: number): AuthError {
  const { code, message, status, description, serverCode, retryAfter } = error;
  const pause = `It is not to be asked again for ${retryAfter} s, and the login may take ${Math.round(seconds)} s.`;
  return new AuthError(code, `${message} ${pause}`, {
    ...{ status, description, serverCode, retryAfter },
    hint: 'Start the login again when that time is over, or use the browser login: flow: "code" (--flow code).',
  });
}
