import { AuthError, type AuthErrorCode, isProtocolErrorCode } from "../errors.js";
import { openText } from "../secrets.js";
import { parseServerError } from "./error-answer.js";
import { type HttpAnswer, type HttpRequest, mayBeDone, name } from "./http-message.js";
import { secretsOf } from "./request-secrets.js";

const NO_ROUTE = `There are no py-oidc-auth routes there. If it is an OpenID provider (Keycloak, Entra ID, …), say who \
you are: --client-id ID, in code { issuer, clientId }. Otherwise check the host, its path, and the routes (loginRoute, \
tokenRoute, deviceRoute).`;

/** Makes the typed error of an answer that is none of the expected ones. */
export function errorFromAnswer(
  request: HttpRequest,
  answer: HttpAnswer,
  overrides: { code?: AuthErrorCode; hint?: string | undefined } = {},
): AuthError {
  const { error, description } = parseServerError(answer.json, answer.text);
  // What we sent may come back in the server's words.
  const secrets = secretsOf(request);
  const clean = (text: string, length?: number) => openText(text, secrets, length);
  const known = error !== undefined && isProtocolErrorCode(error) ? error : undefined;
  const code = overrides.code ?? known ?? "request_failed";
  const busy = answer.status === 429 || (answer.status === 503 && answer.retryAfter !== undefined);
  const unprocessed = request.spends === true && busy;
  const shown = error === undefined ? "" : ` (${clean(error, 80)})`;
  return new AuthError(code, `The ${name(request)} answered ${answer.status}${shown}.`, {
    status: answer.status,
    description: description === undefined ? undefined : clean(description) || undefined,
    serverCode: known === undefined && error !== undefined ? clean(error, 80) : undefined,
    hint: overrides.hint ?? (known ? undefined : hintFor(request, answer)),
    retryAfter: answer.retryAfter,
    unprocessed,
    // A refusal in OAuth's own terms is one, whatever its status.
    answerLost: !unprocessed && error === undefined && mayBeDone(request, answer.status),
  });
}

/** The error of an answer that was to be a JSON object, and is none. */
export function noObject({ request, answer }: { request: HttpRequest; answer: HttpAnswer }): AuthError {
  return new AuthError("invalid_response", `The ${name(request)} answered with no JSON object.`, {
    status: answer.status,
  });
}

function hintFor({ what }: HttpRequest, answer: HttpAnswer): string | undefined {
  if (answer.status === 403 && /csrf/i.test(answer.text)) {
    return "The server runs Django with its CSRF check on these routes: its administrator must exempt them (csrf_exempt).";
  }
  if (answer.status === 404 || answer.status === 405) {
    if (!/ route$/.test(what)) return "Check the issuer, or the endpoints that were given by hand.";
    return NO_ROUTE;
  }
  if (answer.status >= 300 && answer.status < 400) {
    return "The server redirects this address: use the address it redirects to.";
  }
  return undefined;
}
