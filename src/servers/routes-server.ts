import type { Context } from "../context.js";
import { AuthError, isAuthError } from "../errors.js";
import type { GrantRequest } from "../grant.js";
import { isRecord } from "../jwt.js";
import { httpUrl } from "../settings/address.js";
import { DEFAULT_REDIRECT_PORTS, type RoutesSettings } from "../settings/routes.js";
import type { Token } from "../token.js";
import { tokenFromResponse } from "../token-response.js";
import type { AuthServer, CodeLogin, DeviceCode, DevicePoll, RedirectPlan } from "./auth-server.js";
import { onlyParameter, refusalIn, stateMismatch } from "./callback.js";
import { skewOf } from "./clock-skew.js";
import { meansNoDeviceFlow, parseDeviceCode } from "./device-answer.js";
import { parseServerError } from "./error-answer.js";
import { send } from "./http.js";
import { type HttpAnswer, type HttpRequest, name } from "./http-message.js";
import { loginRouteError } from "./login-route-error.js";
import { LoginState } from "./login-state.js";
import { errorFromAnswer, noObject } from "./server-error.js";

/** More ports than this nobody registers: each is tried, and named where none is free. */
const MAX_PORTS = 100;

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** A server with the py-oidc-auth routes: it holds the client's id and secret, we hold neither. */
export class RoutesServer implements AuthServer {
  readonly #config: RoutesSettings;

  constructor(settings: RoutesSettings) {
    this.#config = settings;
  }

  async hasCodeFlow(): Promise<boolean> {
    return true;
  }

  async beginDevice(context: Context, signal?: AbortSignal): Promise<DeviceCode> {
    const request = {
      what: "device route",
      url: this.#config.deviceUrl,
      form: {},
      signal,
      isMeant: meansNoDeviceFlow,
    };
    const answer = await send(request, context);
    if (answer.status === 200) return parseDeviceCode(request, answer);
    if (meansNoDeviceFlow(answer))
      throw errorFromAnswer(request, answer, { code: "device_flow_unsupported" });
    throw errorFromAnswer(request, answer);
  }

  async redeemDevice(deviceCode: string, context: Context, signal?: AbortSignal): Promise<DevicePoll> {
    const request = this.#tokenRequest({ "device-code": deviceCode }, signal);
    const answer = await send(request, context);
    if (answer.status === 200) return { status: "granted", token: this.#token(request, answer, context) };
    const { error } = parseServerError(answer.json, answer.text);
    if (error === "authorization_pending") return { status: "pending" };
    if (error === "slow_down") return { status: "slow_down" };
    throw errorFromAnswer(request, answer);
  }

  async redirects(context: Context, signal?: AbortSignal): Promise<RedirectPlan> {
    const ports = this.#config.redirectPorts ?? (await this.#listedPorts(context, signal));
    return {
      uri: "http://localhost/callback",
      ports: ports.length > 0 ? ports : DEFAULT_REDIRECT_PORTS,
    };
  }

  async beginCode(redirectUri: string, context: Context, signal?: AbortSignal): Promise<CodeLogin> {
    const { loginUrl, prompt, offlineAccess, scopes } = this.#config;
    const url = new URL(loginUrl);
    url.searchParams.set("redirect_uri", redirectUri);
    url.searchParams.set("prompt", String(prompt));
    url.searchParams.set("offline_access", String(offlineAccess));
    if (scopes) url.searchParams.set("scope", scopes.join(" "));
    if (prompt === false) url.searchParams.delete("prompt");
    const request = { what: "login route", url, signal };
    const answer = await send(request, context);
    const location = isRedirect(answer.status) ? answer.location : null;
    const target = location === null ? undefined : httpUrl(location, url);
    if (location !== null && !target) throw noPlace(request);
    const state = target && LoginState.parse(target.searchParams.get("state"));
    const redeem = (callback: URL, kept: LoginState, abort?: AbortSignal) =>
      this.#redeemCode(callback, kept, redirectUri, context, abort);
    if (target && state?.redirectUri === redirectUri) {
      const matches = (callback: URL) => state.equals(onlyParameter(callback, "state"));
      return {
        url: target,
        matches,
        redeem: async (callback, abort) => {
          if (!matches(callback)) throw stateMismatch();
          return redeem(callback, state, abort);
        },
      };
    }
    if (answer.status >= 400 && answer.status !== 401 && answer.status !== 403) {
      throw await loginRouteError(request, answer, this.#config.host, context);
    }
    // No redirect to learn the state from (a page, a gatekeeper): the browser must ask the login route itself,
    // and the callback's own state is all there is to go by.
    const callbackState = (callback: URL) => {
      const found = LoginState.parse(onlyParameter(callback, "state") ?? null);
      return found?.redirectUri === redirectUri ? found : undefined;
    };
    return {
      url,
      matches: (callback) => callbackState(callback) !== undefined,
      redeem: async (callback, abort) => {
        const found = callbackState(callback);
        if (!found) throw stateMismatch();
        return redeem(callback, found, abort);
      },
    };
  }

  async refresh(token: Token, context: Context): Promise<Token> {
    return this.#obtain({ "refresh-token": token.refreshToken ?? "" }, context, undefined, token);
  }

  /** Only what the broker mode takes: another token in exchange for one of its own (RFC 8693). */
  async grant(grant: GrantRequest, context: Context, signal?: AbortSignal): Promise<Token> {
    if (grant.grantType !== TOKEN_EXCHANGE || grant.clientAssertion !== undefined) {
      throw new AuthError(
        "not_supported",
        `A server with the py-oidc-auth routes takes no ${grant.grantType}: only a token exchange, in broker mode.`,
        {
          hint: "Use tokenExchange() or a workload's token, or name the OpenID provider itself: { issuer, clientId }.",
        },
      );
    }
    return this.#obtain({ ...grant.parameters, grant_type: grant.grantType }, context, signal);
  }

  async audience(): Promise<string> {
    return this.#config.host;
  }

  async userinfo(token: Token, context: Context, signal?: AbortSignal): Promise<Record<string, unknown>> {
    const request = { what: "userinfo route", url: this.#config.userinfoUrl, headers: token.headers, signal };
    const answer = await send(request, context);
    if (answer.status === 200 && isRecord(answer.json)) return answer.json;
    throw answer.status === 200
      ? noObject({ request, answer })
      : errorFromAnswer(request, answer, [401, 403].includes(answer.status) ? { code: "invalid_token" } : {});
  }

  async introspect(): Promise<Record<string, unknown>> {
    throw new AuthError("not_supported", "A server with the py-oidc-auth routes has no introspection.", {
      hint: "userinfo() tells whether a token is still good, and whose it is.",
    });
  }

  async revoke(): Promise<boolean> {
    return false;
  }

  async endSessionUrl(_token: Token | undefined, returnTo: string | undefined): Promise<URL | undefined> {
    // Opened as it is: the route sends the browser on to the provider, with what only the server knows.
    const url = new URL(this.#config.logoutUrl);
    if (returnTo !== undefined) url.searchParams.set("post_logout_redirect_uri", returnTo);
    return url;
  }

  async #redeemCode(
    callback: URL,
    state: LoginState,
    redirectUri: string,
    context: Context,
    signal?: AbortSignal,
  ): Promise<Token> {
    const refusal = refusalIn(callback);
    if (refusal) throw refusal;
    const code = onlyParameter(callback, "code");
    if (!code)
      throw new AuthError("invalid_response", "The login came back without a code and without an error.");
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: state.codeVerifier,
    };
    return this.#obtain(form, context, signal);
  }

  async #listedPorts(context: Context, signal?: AbortSignal): Promise<readonly number[]> {
    try {
      const answer = await send({ what: "ports route", url: this.#config.portsUrl, signal }, context);
      const listed = answer.status === 200 && isRecord(answer.json) ? answer.json["valid_ports"] : undefined;
      const ports = Array.isArray(listed)
        ? listed.filter((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)
        : [];
      return [...new Set<number>(ports)].slice(0, MAX_PORTS);
    } catch (error) {
      // Most servers have no such route; one that is down says so better when the login begins.
      if (isAuthError(error, "network_error", "invalid_response")) return [];
      throw error;
    }
  }

  /** One token request. @param previous the token that is renewed by it */
  async #obtain(
    form: Record<string, string>,
    context: Context,
    signal: AbortSignal | undefined,
    previous?: Token,
  ): Promise<Token> {
    const request = this.#tokenRequest(form, signal);
    const answer = await send(request, context);
    if (answer.status !== 200) throw errorFromAnswer(request, answer);
    return this.#token(request, answer, context, previous);
  }

  #token(request: HttpRequest, answer: HttpAnswer, context: Context, previous?: Token): Token {
    const about = { from: name(request), now: context.now(), skew: skewOf(request.url), previous };
    return tokenFromResponse(answer.json, about);
  }

  #tokenRequest(form: Record<string, string>, signal: AbortSignal | undefined): HttpRequest {
    return { what: "token route", url: this.#config.tokenUrl, form, signal, spends: true };
  }
}

function noPlace(request: HttpRequest): AuthError {
  return new AuthError(
    "invalid_response",
    `The ${name(request)} redirects to an address that no browser is sent to.`,
  );
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}
