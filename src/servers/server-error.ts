import { AuthError, type AuthErrorCode, isProtocolErrorCode } from "../errors.js";
import { isRecord } from "../jwt.js";
import { cleanText, withoutSecrets } from "../text.js";
import { type HttpAnswer, type HttpRequest, mayBeDone, name } from "./http-message.js";

/** What a server's error answer says, in whatever shape it came. */
export interface ServerError {
  /** The OAuth error code as the server wrote it (RFC 6749 §5.2). */
  readonly error?: string;
  readonly description?: string;
}

const UPSTREAM = "Upstream OIDC error:";

/**
 * Reads an error answer: OAuth's `{ error, error_description }`, the same wrapped in `detail` by the py-oidc-auth
 * routes (as an object, or inside a text), a list of validation failures, or plain text.
 */
export function parseServerError(json: unknown, text: string): ServerError {
  if (isRecord(json)) {
    if (typeof json["error"] === "string") {
      const description = json["error_description"] ?? json["message"];
      return { error: json["error"], ...(typeof description === "string" && { description }) };
    }
    const detail = json["detail"] ?? json["message"];
    if (isRecord(detail)) return parseServerError(detail, "");
    if (Array.isArray(detail)) return { description: detail.map(validationFailure).join("; ") };
    if (typeof detail === "string") return parseDetail(detail);
    return {};
  }
  // A page is for browsers: its text says nothing to a person at a terminal. JSON that is cut off may hold a token.
  return text === "" || /^\s*[<{[]/.test(text) ? {} : { description: text };
}

function parseDetail(detail: string): ServerError {
  const start = detail.indexOf(UPSTREAM);
  if (start < 0) return { description: detail };
  const upstream = detail.slice(start + UPSTREAM.length).trim();
  try {
    const inner: unknown = JSON.parse(upstream);
    if (isRecord(inner) && typeof inner["error"] === "string") return parseServerError(inner, upstream);
  } catch {
    // Not JSON: some proxy's page, told as far as it is text.
  }
  return { description: /^\s*</.test(upstream) ? "the provider answered with a page" : detail };
}

/** One entry of FastAPI's list of validation failures. */
function validationFailure(entry: unknown): string {
  if (!isRecord(entry)) return typeof entry === "string" ? entry : "not valid";
  const { loc, msg } = entry;
  const names = (Array.isArray(loc) ? loc : []).filter((one) => ["string", "number"].includes(typeof one));
  return `${names.length > 0 ? `${names.join(".")}: ` : ""}${typeof msg === "string" ? msg : "not valid"}`;
}

/** Makes the typed error of an answer that is none of the expected ones. */
export function errorFromAnswer(
  request: HttpRequest,
  answer: HttpAnswer,
  overrides: { code?: AuthErrorCode; hint?: string } = {},
): AuthError {
  const { error, description } = parseServerError(answer.json, answer.text);
  // What we sent may come back in the server's words.
  const secrets = secretsOf(request);
  const clean = (text: string, length?: number) => cleanText(withoutSecrets(text, secrets), length);
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
    return "Check the host, its path, and the routes (loginRoute, tokenRoute, deviceRoute).";
  }
  if (answer.status >= 300 && answer.status < 400) {
    return "The server redirects this address: use the address it redirects to.";
  }
  return undefined;
}

/** Form fields that are no secret, and help to understand an error. */
const OPEN_FIELDS = new Set([
  ...["grant_type", "client_id", "scope", "resource", "audience", "redirect_uri", "token_type_hint"],
  ...[
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
    "client_assertion_type",
    "response_type",
  ],
  ...["code_challenge_method", "prompt"],
]);

/** What a request bore that must not come back out in an error. */
function secretsOf({ form = {}, headers, body }: HttpRequest): string[] {
  const sent = new Headers(headers);
  const secrets = Object.entries(form).flatMap(([name, value]) => (OPEN_FIELDS.has(name) ? [] : [value]));
  const [, credentials = ""] = (sent.get("authorization") ?? "").split(" ");
  secrets.push(credentials, sent.get("dpop") ?? "");
  if (/^basic /i.test(sent.get("authorization") ?? "")) {
    const [, password = ""] = /:(.*)$/s.exec(Buffer.from(credentials, "base64").toString()) ?? [];
    secrets.push(password, decodeFormValue(password));
  }
  if (body !== undefined) secrets.push(body);
  return secrets;
}

/** A client's secret is form-encoded before it goes into the header (RFC 6749 §2.3.1). */
function decodeFormValue(value: string): string {
  return new URLSearchParams(`v=${value}`).get("v") ?? "";
}
