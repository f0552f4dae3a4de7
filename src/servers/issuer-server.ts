import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import type { Context } from "../context.js";
import { AuthError, isAuthError } from "../errors.js";
import type { GrantRequest } from "../grant.js";
import type { IssuerSettings } from "../settings/issuer.js";
import type { DpopKey, Token } from "../token.js";
import { tokenFromResponse } from "../token-response.js";
import type { AuthServer, CodeLogin, DeviceCode, DevicePoll, RedirectPlan } from "./auth-server.js";
import { skewOf } from "./clock-skew.js";
import { parseDeviceCode, refusesDeviceFlow } from "./device-answer.js";
import { type Discovery, discover, forgetDiscovery } from "./discovery.js";
import { newDpopKey } from "./dpop.js";
import { parseServerError } from "./error-answer.js";
import { beginCodeLogin } from "./issuer-code.js";
import { loginScopes, redirectPlan, scopeParameter, targetParameters } from "./issuer-parameters.js";
import * as services from "./issuer-services.js";
import { type OpenIdClient, type Operation, type Speaking, speak } from "./openid.js";
import { assertOurs, assertSamePerson, decryptedIdToken } from "./token-checks.js";

const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";

/** Who we are at which provider. */
export interface IssuerIdentity {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Whether this program registered itself: then only with the usual redirect ports. */
  readonly registered: boolean;
  /** What the API asks for (RFC 9728), where it was asked. */
  readonly api?: { readonly scopes: readonly string[]; readonly dpopRequired: boolean } | undefined;
}

/** An OpenID provider or OAuth authorization server, spoken to by `openid-client`. */
export class IssuerServer implements AuthServer {
  readonly #settings: IssuerSettings & { readonly issuer: string };
  readonly #identity: IssuerIdentity;
  readonly #client: OpenIdClient;
  readonly #folder: string | undefined;
  /** The key that this login's token is bound to; made when it is first needed. */
  #dpopKey: Promise<DpopKey> | undefined;

  /** @param folder where discovery documents are kept between runs */
  constructor(settings: IssuerSettings, identity: IssuerIdentity, folder: string | undefined) {
    const { issuer, clientId, clientSecret, api } = identity;
    this.#identity = identity;
    this.#settings = { ...settings, issuer, dpop: settings.dpop || (api?.dpopRequired ?? false) };
    this.#client = { settings: this.#settings, clientId, clientSecret };
    this.#folder = folder;
  }

  async hasCodeFlow(context: Context, signal?: AbortSignal): Promise<boolean> {
    const { document } = await this.#discover(context, signal);
    return typeof document["authorization_endpoint"] === "string";
  }

  async beginDevice(context: Context, signal?: AbortSignal): Promise<DeviceCode> {
    const discovery = await this.#discover(context, signal);
    if (typeof discovery.document["device_authorization_endpoint"] !== "string") {
      throw new AuthError("device_flow_unsupported", `${this.#settings.issuer} has no device flow.`);
    }
    return this.#speak({ context, signal }, async ({ library, configuration, fetch }) => {
      const parameters = { ...scopeParameter(this.#scopes(discovery)), ...targetParameters(this.#settings) };
      try {
        await library.initiateDeviceAuthorization(configuration, parameters);
      } catch (error) {
        // Refused, or an answer that only we can read: Google's own name for an address.
        const { request, answer } = fetch.last ?? {};
        if (!answer || !request) throw error;
        const refused = answer.status !== 200 || parseServerError(answer.json, "").error !== undefined;
        if (refused && refusesDeviceFlow(answer)) {
          throw new AuthError(
            "device_flow_unsupported",
            `${this.#settings.issuer} does not offer its device flow to the client ${this.#client.clientId}.`,
          );
        }
        if (refused) throw error;
      }
      const { request, answer } = fetch.last ?? {};
      if (!request || !answer) throw new AuthError("invalid_response", "The device endpoint did not answer.");
      return parseDeviceCode(request, answer);
    });
  }

  async redeemDevice(deviceCode: string, context: Context, signal?: AbortSignal): Promise<DevicePoll> {
    const dpopKey = await this.#newKey();
    try {
      const token = await this.#speak(
        { context, signal, dpopKey },
        async ({ library, configuration, proof }) => {
          const parameters = { device_code: deviceCode, ...targetParameters(this.#settings) };
          const answer = await library.genericGrantRequest(configuration, DEVICE_CODE, parameters, proof);
          return this.#token(library, answer, context, { dpopKey });
        },
      );
      return { status: "granted", token };
    } catch (error) {
      const waiting = isAuthError(error) ? error.serverCode : undefined;
      if (waiting === "authorization_pending") return { status: "pending" };
      if (waiting === "slow_down") return { status: "slow_down" };
      throw error;
    }
  }

  async redirects(): Promise<RedirectPlan> {
    return redirectPlan(this.#settings, this.#identity.registered);
  }

  async beginCode(redirectUri: string, context: Context, signal?: AbortSignal): Promise<CodeLogin> {
    const discovery = await this.#discover(context, signal);
    const dpopKey = await this.#newKey();
    return beginCodeLogin({
      settings: this.#settings,
      scopes: this.#scopes(discovery),
      discovery,
      redirectUri,
      context,
      signal,
      speak: (work, abort) => this.#speak({ context, signal: abort, dpopKey, redirectUri }, work),
      token: (library, answer) => this.#token(library, answer, context, { dpopKey }),
    });
  }

  async refresh(token: Token, context: Context, signal?: AbortSignal): Promise<Token> {
    const { dpopKey } = token;
    assertOurs(token, this.#identity);
    await this.#discover(context, signal);
    try {
      return await this.#speak({ context, dpopKey }, async ({ library, configuration, proof }) => {
        const parameters = targetParameters(this.#settings);
        const answer = await library.refreshTokenGrant(
          configuration,
          token.refreshToken ?? "",
          parameters,
          proof,
        );
        assertSamePerson(token, answer.claims());
        return this.#token(library, answer, context, { previous: token, dpopKey });
      });
    } catch (error) {
      await this.#forgetWhereGone(error);
      throw error;
    }
  }

  async grant(request: GrantRequest, context: Context, signal?: AbortSignal): Promise<Token> {
    const { grantType, clientAssertion } = request;
    const { scopes } = this.#settings;
    const dpopKey = await this.#newKey();
    const parameters = {
      ...(scopes && { scope: scopes.join(" ") }),
      ...targetParameters(this.#settings),
      ...request.parameters,
    };
    return this.#speak(
      { context, signal, clientAssertion, dpopKey },
      async ({ library, configuration, proof }) => {
        const answer =
          grantType === "client_credentials"
            ? await library.clientCredentialsGrant(configuration, parameters, proof)
            : await library.genericGrantRequest(configuration, grantType, parameters, proof);
        return this.#token(library, answer, context, { dpopKey });
      },
    );
  }

  async audience(context: Context, signal?: AbortSignal): Promise<string> {
    const { document } = await this.#discover(context, signal);
    const endpoint = document["token_endpoint"];
    return typeof endpoint === "string" ? endpoint : this.#settings.issuer;
  }

  async userinfo(token: Token, context: Context, signal?: AbortSignal): Promise<Record<string, unknown>> {
    assertOurs(token, this.#identity);
    const operation = { context, signal, dpopKey: token.dpopKey };
    return this.#speak(operation, (speaking) =>
      services.userinfo(speaking, token, this.#settings.endpoints?.["userinfo_endpoint"] !== undefined),
    );
  }

  async introspect(token: Token, context: Context, signal?: AbortSignal): Promise<Record<string, unknown>> {
    assertOurs(token, this.#identity);
    return this.#speak({ context, signal }, (speaking) => services.introspect(speaking, token));
  }

  async revoke(token: Token, context: Context, signal?: AbortSignal): Promise<boolean> {
    assertOurs(token, this.#identity);
    return this.#speak({ context, signal }, (speaking) => services.revoke(speaking, token));
  }

  async endSessionUrl(
    token: Token | undefined,
    returnTo: string | undefined,
    context: Context,
    signal?: AbortSignal,
  ): Promise<URL | undefined> {
    return this.#speak({ context, signal }, async (speaking) =>
      services.endSessionUrl(speaking, token, returnTo),
    );
  }

  async #speak<T>(operation: Operation, work: (speaking: Speaking) => Promise<T>): Promise<T> {
    const discovery = await this.#discover(operation.context, operation.signal);
    return speak(this.#client, discovery, operation, work);
  }

  #discover(context: Context, signal: AbortSignal | undefined): Promise<Discovery> {
    return discover(this.#settings, this.#folder, context, signal);
  }

  #scopes(discovery: Discovery): readonly string[] {
    return loginScopes(this.#settings, discovery, this.#identity.api?.scopes);
  }

  /** A key for a new token, where tokens are to be bound to one. */
  async #newKey(): Promise<DpopKey | undefined> {
    if (!this.#settings.dpop) return undefined;
    this.#dpopKey ??= newDpopKey();
    return this.#dpopKey;
  }

  #token(
    library: Speaking["library"],
    answer: TokenEndpointResponse & TokenEndpointResponseHelpers,
    context: Context,
    about: { previous?: Token; dpopKey?: DpopKey | undefined },
  ): Token {
    const decrypted = decryptedIdToken(library.getDecryptedResponses(answer));
    const body = decrypted === undefined ? answer : { ...answer, id_token: decrypted };
    const skew = skewOf(new URL(this.#settings.endpoints?.["token_endpoint"] ?? this.#settings.issuer));
    const { issuer, clientId } = this.#identity;
    const from = `token endpoint of ${issuer}`;
    const token = tokenFromResponse(body, { from, now: context.now(), skew, issuer, clientId, ...about });
    if (about.dpopKey && token.dpopKey === undefined) {
      const message = `${this.#settings.issuer} does not bind its tokens to a key (DPoP): whoever has one can use it.`;
      context.emit({ type: "warning", message });
    }
    return token;
  }

  /** A document that names an endpoint which is gone is of no more use. */
  async #forgetWhereGone(error: unknown): Promise<void> {
    const gone = isAuthError(error) && [404, 405, 410].includes(error.status ?? 0);
    if (gone) await forgetDiscovery(this.#settings, this.#folder);
  }
}
