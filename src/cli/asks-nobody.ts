import { type Authenticator, createAuthenticator, loginReason } from "../authenticate.js";
import { AuthError } from "../errors.js";
import { interactionHint } from "../interaction-hint.js";
import { type Input, isOn } from "./command.js";
import type { CliIo } from "./io.js";
import { loginOf, storedBelow } from "./stored-login.js";
import type { Resolved } from "./target.js";
import { reporting } from "./warnings.js";

/** Why nobody is asked to log in. */
export interface AsksNobody {
  readonly why: string;
  /** Whether `--login` changes that. */
  readonly takesLogin?: boolean;
}

/** Asks nobody, and says why where a login is needed: the caller has said nothing of the sort. */
export function unasked(nobody: AsksNobody, resolved: Resolved, io: CliIo): Authenticator {
  const { target, options } = resolved;
  const silent = { ...options, interactive: false, ...reporting(io) };
  const authenticate = createAuthenticator(target, silent, nobody.why);
  const quiet: typeof authenticate = Object.assign(
    (call?: Parameters<Authenticator>[0]) => authenticate(call).catch(askingNobody(nobody, resolved)),
    { session: authenticate.session },
  );
  return quiet;
}

/** Asks somebody where `--login` says so. */
export function unaskedUnlessTold(
  command: string,
  input: Input,
  resolved: Resolved,
  io: CliIo,
): Authenticator {
  if (!isOn(input, "login"))
    return unasked({ why: `\`${command}\` asks nobody`, takesLogin: true }, resolved, io);
  return createAuthenticator(resolved.target, { ...resolved.options, ...reporting(io) });
}

/** Tells of a login that is needed in the words of a command that asks nobody for it; throws all else on. */
export function askingNobody(
  { why, takesLogin }: AsksNobody,
  resolved: Resolved,
): (error: unknown) => Promise<never> {
  return async (error) => {
    const reason = loginReason(error);
    if (reason === undefined || !(error instanceof AuthError)) throw error;
    // Perhaps another login was meant; a store that tells of none now keeps nothing from being said.
    const { config, store } = resolved;
    const { loginCommand } = resolved.options;
    const others = await storedBelow(loginOf(resolved)).catch(() => "");
    const first = takesLogin ? "Add --login, so that it asks you; or log in first" : "Log in first";
    throw new AuthError(
      "interaction_required",
      `A login at ${resolved.config.host} is needed (${reason}), and ${why}.`,
      {
        hint: `${others}${first}: ${loginCommand}\nWhere nobody sits in front of it, ${interactionHint(config, store, { loginCommand, asksNobody: true })}`,
        cause: error.cause,
      },
    );
  };
}
