import { timingSafeEqual } from "node:crypto";
import { AuthError, isProtocolErrorCode } from "../errors.js";
import { openText } from "../secrets.js";

/** A parameter that stands exactly once: RFC 6749 §3.1 forbids repeating one, and a repeated one is an attack. */
export function onlyParameter(url: URL, parameter: string): string | undefined {
  const values = url.searchParams.getAll(parameter);
  return values.length === 1 ? values[0] : undefined;
}

/** In constant time, so that a guess learns nothing from how long the answer takes. */
export function sameSecret(mine: string, theirs: string | undefined): boolean {
  const [left, right] = [Buffer.from(mine), Buffer.from(theirs ?? "")];
  return left.length === right.length && timingSafeEqual(left, right);
}

export function stateMismatch(): AuthError {
  return new AuthError(
    "state_mismatch",
    "The answer of the browser does not belong to this login (wrong state).",
  );
}

/**
 * The error that a browser came back with, if it did. Also where a code stands beside it, or it stands twice: no honest
 * provider sends that, and no code of such an answer is spent.
 */
export function refusalIn(callback: URL): AuthError | undefined {
  if (!callback.searchParams.has("error")) return undefined;
  // What else it came with is not repeated: the state is a secret of this login, and the routes' has the verifier in it.
  const secrets = [...callback.searchParams].flatMap(([name, value]) =>
    name.startsWith("error") ? [] : [value, ...value.split("|")],
  );
  return callbackError(
    onlyParameter(callback, "error"),
    onlyParameter(callback, "error_description"),
    secrets,
  );
}

/**
 * The error that the provider sent the browser back with (RFC 6749 §4.1.2.1).
 *
 * @param error what it says, where that is one thing
 * @param secrets what is not to be shown, wherever it stands
 */
export function callbackError(
  error: string | undefined,
  description: string | undefined,
  secrets: readonly string[] = [],
): AuthError {
  const said = error ? openText(error, secrets, 80) : undefined;
  return new AuthError(
    error && isProtocolErrorCode(error) ? error : "request_failed",
    error === "access_denied"
      ? "The login was denied in the browser."
      : `The login page reports ${said ?? "an unclear error"}.`,
    {
      description: description ? openText(description, secrets) : undefined,
      serverCode: error && isProtocolErrorCode(error) ? undefined : said,
    },
  );
}
