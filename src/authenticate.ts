import { oneOf } from "./config.js";
import { AuthError, isAuthError } from "./errors.js";
import { type LoginReason, obtainToken } from "./flows/obtain-token.js";
import { openSession, type Session, type Target } from "./flows/session.js";
import type { AuthenticateOptions, FlowName } from "./options.js";
import type { Token } from "./token.js";

const FLOWS: readonly FlowName[] = ["auto", "device", "code"];

/**
 * A valid bearer token for a server: the stored one while it has more than 60 s left, else a refreshed one, else one
 * from a login of the person (by device code, and in the browser where the server has no device flow).
 *
 * However many calls, processes or machines share a store, an expired token is refreshed once.
 *
 * @param target the server's address, or a {@link Config}
 * @throws AuthError `interaction_required` where a login is needed and no person can be reached; `network_error`,
 *   `login_timeout`, `login_cancelled`, `access_denied`, `store_unreadable`, `store_unwritable`, `invalid_config`, …
 */
export async function authenticate(target: Target, options: AuthenticateOptions = {}): Promise<Token> {
  const { flow: wanted, ...loginOptions } = options;
  const flow = oneOf("flow", wanted, FLOWS, "auto");
  const session = openSession(target, loginOptions);
  return obtainToken(session, (reason, signal) => logIn(session, flow, reason, signal), {
    force: options.force ?? false,
    signal: options.signal,
    sharedAs: flow,
  });
}

/** The login of a person, in the way that the server and the surroundings allow. */
async function logIn(
  session: Session,
  flow: FlowName,
  reason: LoginReason,
  signal: AbortSignal,
): Promise<Token> {
  const { environmentOf } = await import("./flows/login-display.js");
  const environment = await environmentOf(session);
  if (!environment.interactive) throw await interactionRequired(session, reason, environment.reason);
  const server = session.config.host;
  const begin = (name: "device" | "code", why: string) =>
    session.context.emit({ type: "login_started", server, flow: name, reason: why });
  const end = (name: "device" | "code", token: Token) => {
    session.context.emit({ type: "logged_in", server, flow: name });
    return token;
  };
  if (flow !== "code") {
    const { deviceLogin } = await import("./flows/device-flow.js");
    begin("device", reason.text);
    try {
      return end("device", await deviceLogin(session, signal));
    } catch (error) {
      if (flow === "device" || !isAuthError(error, "device_flow_unsupported")) throw error;
    }
  }
  const { codeLogin } = await import("./flows/code-flow.js");
  begin("code", flow === "code" ? reason.text : "the server has no device flow");
  return end("code", await codeLogin(session, signal));
}

/** Nobody can log in here: says exactly what helps. */
async function interactionRequired(session: Session, reason: LoginReason, why: string): Promise<AuthError> {
  const { interactionHint } = await import("./interaction-hint.js");
  return new AuthError(
    "interaction_required",
    `A login at ${session.config.host} is needed (${reason.text}), and no person can be reached: ${why}.`,
    {
      hint: interactionHint(session.config, session.store, session.options.store !== undefined),
      cause: reason.cause,
    },
  );
}
