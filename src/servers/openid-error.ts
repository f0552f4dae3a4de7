import { AuthError, isProtocolErrorCode } from "../errors.js";
import { foreignMessage } from "../foreign-error.js";
import { isRecord } from "../jwt.js";
import { openText } from "../secrets.js";
import { cleanText } from "../text.js";
import { callbackError } from "./callback.js";
import { mayBeDone, name } from "./http-message.js";
import type { Exchange } from "./library-fetch.js";
import { secretsOf } from "./request-secrets.js";
import { errorFromAnswer } from "./server-error.js";

/**
 * Our error for what the protocol library threw. Its own error is not kept as a cause: it holds the answer, and with it
 * tokens.
 *
 * @param who whom we speak with, for messages
 * @param last what was asked and answered last
 */
export function toAuthError(error: unknown, who: string, last: Exchange | undefined): AuthError {
  const inner = chain(error);
  const ours = inner.find((one) => one instanceof AuthError);
  if (ours) return ours;
  const names = inner.map((one) => one.name);
  if (names.includes("AuthorizationResponseError")) {
    const { error: code, error_description: description } = fields(inner[0]);
    return callbackError(String(code), typeof description === "string" ? description : undefined);
  }
  if (last && names.includes("WWWAuthenticateChallengeError")) return challengeError(inner[0], last);
  if (last && (last.answer.status >= 300 || names.includes("ResponseBodyError"))) return refusal(last);
  return notConform(inner, who, last);
}

/** An error and what caused it, outermost first. */
function chain(error: unknown): Error[] {
  const found: Error[] = [];
  for (let one = error; one instanceof Error && found.length < 5; one = one.cause) found.push(one);
  return found;
}

function fields(error: Error | undefined): Record<string, unknown> {
  return (error ?? {}) as unknown as Record<string, unknown>;
}

/** A refusal of an access token is one also where the server does not say so in the protocol's terms. */
export function refusal({ request, answer }: Exchange): AuthError {
  const bearer = /^(bearer|dpop) /i.test(new Headers(request.headers).get("authorization") ?? "");
  return errorFromAnswer(request, answer, bearer && answer.status === 401 ? { code: "invalid_token" } : {});
}

/** The challenge of a protected endpoint says what is wrong with a token (RFC 6750 §3). */
function challengeError(error: Error | undefined, { request, answer }: Exchange): AuthError {
  if (isRecord(answer.json) && typeof answer.json["error"] === "string")
    return errorFromAnswer(request, answer);
  const challenges = Array.isArray(error?.cause) ? (error.cause as unknown[]) : [];
  const first = challenges.find(isRecord);
  const parameters = isRecord(first?.["parameters"]) ? first["parameters"] : {};
  const code = String(parameters["error"] ?? "");
  return errorFromAnswer(request, answer, {
    code: isProtocolErrorCode(code) ? code : answer.status === 401 ? "invalid_token" : "request_failed",
  });
}

/** The library's checks: an answer that breaks the protocol, or is somebody else's. */
function notConform(inner: readonly Error[], who: string, last: Exchange | undefined): AuthError {
  // A parser quotes what it could not parse, which may be a token.
  const deepest = inner.filter((one) => !(one instanceof SyntaxError)).at(-1);
  const code = inner.map((one) => fields(one)["code"]).find((one) => typeof one === "string");
  const secrets = last ? secretsOf(last.request) : [];
  const said =
    fields(deepest)["code"] === "ERR_INVALID_URL"
      ? "it names an address that is none"
      : foreignMessage(deepest, (text) => openText(text, secrets, 200));
  const cause = inner.map((one) => one.cause).find((one) => isRecord(one) && "expected" in one);
  const answerLost = last !== undefined && mayBeDone(last.request, last.answer.status);
  // An answer that names no issuer at all is merely broken.
  if (/\biss\b|issuer/.test(said) && !/signature|must (not )?be/.test(said)) {
    const body = isRecord(cause) && isRecord(cause["body"]) ? cause["body"]["issuer"] : undefined;
    const named = typeof body === "string" ? ` It calls itself ${cleanText(body)}.` : "";
    return new AuthError(
      "issuer_mismatch",
      `The answer is not from the issuer that was asked (${who}): ${said}.${named}`,
      { answerLost },
    );
  }
  if (code === "OAUTH_MISSING_SERVER_METADATA") {
    return new AuthError("not_supported", `${who} does not offer that: ${said}.`);
  }
  const where = last ? `the ${name(last.request)}` : who;
  return new AuthError("invalid_response", `The answer of ${where} cannot be used: ${said}.`, {
    status: last?.answer.status,
    answerLost,
    hint: "Check that issuer and client are the right ones. If they are, the provider answers against the standard: tell its administrator.",
  });
}
