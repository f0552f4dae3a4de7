import type { Context } from "../context.js";
import type { AuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import { send } from "./http.js";
import type { HttpAnswer, HttpRequest } from "./http-message.js";
import { errorFromAnswer } from "./server-error.js";

/** The error of a login route that begins no login, with what is to be done about it. */
export async function loginRouteError(
  request: HttpRequest,
  answer: HttpAnswer,
  host: string,
  context: Context,
): Promise<AuthError> {
  return errorFromAnswer(request, answer, { hint: await hintOf(request, answer, host, context) });
}

async function hintOf(
  { signal }: HttpRequest,
  { status }: HttpAnswer,
  host: string,
  context: Context,
): Promise<string | undefined> {
  if (status >= 500)
    return "The server cannot start a login: its OpenID provider is probably down. Try again later, or tell its administrator.";
  if (status !== 404 || !(await isOpenIdProvider(host, context, signal))) return undefined;
  return `${host} is an OpenID provider, without py-oidc-auth routes. Say who you are there: --client-id ID, in code { issuer, clientId }.`;
}

/** Whether an address has a provider's discovery document (OpenID Connect Discovery §4). */
async function isOpenIdProvider(host: string, context: Context, signal?: AbortSignal): Promise<boolean> {
  const url = new URL(`${host}/.well-known/openid-configuration`);
  try {
    const { status, json } = await send({ what: "discovery document", url, signal }, context);
    return status === 200 && isRecord(json) && typeof json["issuer"] === "string";
  } catch {
    // The error that is told is that of the login route.
    return false;
  }
}
