import { timingSafeEqual } from "node:crypto";
import { AuthError, isProtocolErrorCode } from "../errors.js";
import { cleanText } from "../text.js";

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
  return callbackError(
    onlyParameter(callback, "error") || "an unclear error",
    onlyParameter(callback, "error_description"),
  );
}

/** The error that the provider sent the browser back with (RFC 6749 §4.1.2.1). */
export function callbackError(error: string, description: string | undefined): AuthError {
  const shown = cleanText(error, 80);
  return new AuthError(
    isProtocolErrorCode(error) ? error : "request_failed",
    error === "access_denied" ? "The login was denied in the browser." : `The login page reports ${shown}.`,
    {
      description: description ? cleanText(description) : undefined,
      serverCode: isProtocolErrorCode(error) ? undefined : shown,
    },
  );
}
