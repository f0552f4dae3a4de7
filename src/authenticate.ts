import { AuthError, isAuthError } from "./errors.js";
import { type LoginReason, obtainToken } from "./flows/obtain-token.js";
import type { ObtainOptions } from "./flows/refresh.js";
import { openSession, type Session, type Target } from "./flows/session.js";
import type { AuthenticateOptions, FlowName } from "./options.js";
import { oneOf, text } from "./settings/checks.js";
import type { Token } from "./token.js";

const FLOWS: readonly FlowName[] = ["auto", "device", "code"];

/**
 * A valid bearer token for a server: the stored one while it is good (as `isUsable()` judges), else a refreshed one,
 * else one from a login of the person (by device code, or in the browser), or for the credentials that the target names.
 *
 * However many calls, processes or machines share a store, an expired token is refreshed once.
 *
 * @param target the address of a server with the py-oidc-auth routes, `{ issuer, clientId }`, `{ resource }`, or a
 *   {@link Config}
 * @throws AuthError `interaction_required` where a login is needed and no person can be reached; `network_error`,
 *   `login_timeout`, `login_cancelled`, `access_denied`, `store_unreadable`, `store_unwritable`, `invalid_config`, …
 */
export async function authenticate(target: Target, options: AuthenticateOptions = {}): Promise<Token> {
  return createAuthenticator(target, options)();
}

/** The same for many calls: target and options are checked once, and `force` counts for the first that succeeds. */
export interface Authenticator {
  (call?: Pick<ObtainOptions, "rejected"> & { signal?: AbortSignal | undefined }): Promise<Token>;
  readonly session: Session;
}

/**
 * @param asksNobody why nobody is asked, in the words of a program that never does; default: what the surroundings say
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function createAuthenticator(
  target: Target,
  options: AuthenticateOptions = {},
  asksNobody?: string,
): Authenticator {
  const { flow: wanted, ...loginOptions } = options;
  const flow = oneOf("flow", wanted, FLOWS, "auto");
  text("loginCommand", options.loginCommand);
  const session = openSession(target, loginOptions);
  let force = options.force ?? false;
  const authenticate = async (call: Parameters<Authenticator>[0] = {}) => {
    const token = await obtainToken(
      session,
      (reason, signal) => logIn(session, flow, reason, signal, asksNobody),
      {
        force,
        signal: call.signal ?? options.signal,
        sharedAs: flow,
        rejected: call.rejected,
      },
    );
    force = false;
    return token;
  };
  return Object.assign(authenticate, { session });
}

/** The login of a person, in the way that the server and the surroundings allow. */
async function logIn(
  session: Session,
  flow: FlowName,
  reason: LoginReason,
  signal: AbortSignal,
  asksNobody: string | undefined,
): Promise<Token> {
  const { environmentOf } = await import("./flows/login-display.js");
  const environment = await environmentOf(session);
  const { explain } = session.context;
  explain(`A login is needed: ${reason.text}.`);
  const why = asksNobody ?? environment.reason;
  explain(`${environment.interactive ? "Somebody can be asked" : "Nobody can be asked"}: ${why}.`);
  if (!environment.interactive) throw await interactionRequired(session, reason, why);
  const { chooseFlow, offersBoth } = await import("./flows/choose-flow.js");
  const ways = await chooseFlow(session, flow, environment, signal);
  const server = session.config.host;
  const begin = (name: "device" | "code", why: string) =>
    session.context.emit({ type: "login_started", server, flow: name, reason: why });
  const end = (name: "device" | "code", token: Token) => {
    session.context.emit({ type: "logged_in", server, flow: name });
    return token;
  };
  for (const [index, way] of ways.entries()) {
    const last = index === ways.length - 1;
    begin(way, index === 0 ? reason.text : "the server has no device flow");
    try {
      if (way === "device" && !last && offersBoth(session, environment)) {
        const { eitherLogin } = await import("./flows/either-login.js");
        const won = await eitherLogin(session, signal);
        return end(won.flow, won.token);
      }
      if (way === "device") {
        const { deviceLogin } = await import("./flows/device-flow.js");
        return end(way, await deviceLogin(session, signal));
      }
      const { codeLogin } = await import("./flows/code-flow.js");
      return end(way, await codeLogin(session, signal));
    } catch (error) {
      if (last || !isAuthError(error, "device_flow_unsupported")) throw error;
      explain("The server has no device flow: the browser is next.");
    }
  }
  throw new AuthError("not_supported", `${server} offers no way for a person to log in.`);
}

/** Why a login was needed that nobody could be asked for, beside the error that says so. */
const reasons = new WeakMap<AuthError, string>();

/** Why no stored token would do, where an error says that a login is needed. */
export function loginReason(error: unknown): string | undefined {
  return error instanceof AuthError ? reasons.get(error) : undefined;
}

/** Nobody can log in here: says exactly what helps. */
async function interactionRequired(session: Session, reason: LoginReason, why: string): Promise<AuthError> {
  const { interactionHint } = await import("./interaction-hint.js");
  const error = new AuthError(
    "interaction_required",
    `A login at ${session.config.host} is needed (${reason.text}), and no person can be reached: ${why}.`,
    {
      hint: interactionHint(session.config, session.store, session.options),
      cause: reason.cause,
    },
  );
  reasons.set(error, reason.text);
  return error;
}
