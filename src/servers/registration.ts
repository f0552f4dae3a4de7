import type { Context } from "../context.js";
import { AuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import type { IssuerSettings } from "../settings/issuer.js";
import { redirectUriOn } from "../settings/redirect-uri.js";
import { discover } from "./discovery.js";
import { loginScopes, redirectPlan } from "./issuer-parameters.js";
import { LibraryFetch } from "./library-fetch.js";
import { toAuthError } from "./openid-error.js";

/** What a server answered to a registration (RFC 7591 §3.2.1), by its names on the wire. */
export type Registration = Readonly<Record<string, unknown>> & { readonly client_id: string };

export interface RegistrationQuestion {
  readonly settings: IssuerSettings & { readonly issuer: string };
  /** What the API asks for. */
  readonly scopes: readonly string[] | undefined;
  readonly folder: string | undefined;
  readonly context: Context;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Registers this program as a native, public client (RFC 7591 §3, RFC 8252 §8.4).
 *
 * @throws AuthError `invalid_config` where the server registers nobody: then a client id must be given
 */
export async function register(question: RegistrationQuestion): Promise<Registration> {
  const { settings, scopes, folder, context, signal } = question;
  const discovery = await discover(settings, folder, context, signal);
  const { document, issuer } = discovery;
  if (typeof document["registration_endpoint"] !== "string") {
    throw new AuthError(
      "invalid_config",
      `clientId is missing, and ${issuer} does not let programs register themselves.`,
      {
        hint: "Register this program at the provider, as a native or public client, and give its clientId.",
      },
    );
  }
  const plan = redirectPlan(settings, true);
  const device = "device_authorization_endpoint" in document;
  const asked = loginScopes(settings, discovery, scopes);
  const metadata = {
    client_name: settings.clientName,
    application_type: "native",
    redirect_uris: plan.ports.map((port) => redirectUriOn(plan.uri, port)),
    response_types: ["code"],
    grant_types: [
      "authorization_code",
      "refresh_token",
      ...(device ? ["urn:ietf:params:oauth:grant-type:device_code"] : []),
    ],
    token_endpoint_auth_method: "none",
    ...(asked.length > 0 && { scope: asked.join(" ") }),
    ...(settings.dpop && { dpop_bound_access_tokens: true }),
    ...idTokenAlg(settings, document["id_token_signing_alg_values_supported"]),
  };
  const library = await import("openid-client");
  const fetch = new LibraryFetch(context, settings.allowInsecureHost, discovery, signal);
  const insecure = settings.allowInsecureHost || !issuer.startsWith("https:");
  try {
    await library.dynamicClientRegistration(new URL(issuer), metadata, library.None(), {
      ...(discovery.algorithm !== "by hand" && { algorithm: discovery.algorithm }),
      execute: insecure ? [library.allowInsecureRequests] : [],
      ...(settings.initialAccessToken !== undefined && { initialAccessToken: settings.initialAccessToken }),
      [library.customFetch]: fetch.send,
    });
  } catch (error) {
    throw refused(toAuthError(error, issuer, fetch.last));
  }
  const answer = fetch.last?.answer.json;
  const clientId = isRecord(answer) ? answer["client_id"] : undefined;
  // RFC 6749 Appendix A.1: visible ASCII and blanks.
  if (!isRecord(answer) || typeof clientId !== "string" || !/^[\x20-\x7e]{1,4096}$/.test(clientId)) {
    throw new AuthError("invalid_response", `The registration at ${issuer} gave no usable client_id.`);
  }
  return { ...answer, client_id: clientId };
}

/** Where nothing is said it would be RS256 (OpenID Connect Registration §2), which not every provider signs with. */
function idTokenAlg(settings: IssuerSettings, supported: unknown): { id_token_signed_response_alg?: string } {
  const listed = Array.isArray(supported)
    ? supported.filter((alg) => typeof alg === "string" && alg !== "none")
    : [];
  const alg =
    settings.idTokenSigningAlg ?? (listed.includes("RS256") ? undefined : (listed[0] as string | undefined));
  return alg === undefined ? {} : { id_token_signed_response_alg: alg };
}

/** A registration that was refused is not mended by a login. */
function refused(error: AuthError): AuthError {
  if (error.status === undefined || error.status >= 500) return error;
  const { code, message, status, description, serverCode } = error;
  return new AuthError(code, message, {
    ...{ status, description, serverCode },
    hint: "Register this program by hand, and give its clientId; or give the initialAccessToken that the provider wants for a registration.",
  });
}
