import { timingSafeEqual } from "node:crypto";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { AuthError, isProtocolErrorCode } from "../errors.js";
import { cleanText } from "../text.js";
import { isRecord, positive, type Token, tokenFromResponse } from "../token.js";
import type { AuthServer, CodeLogin, DeviceCode, DevicePoll } from "./auth-server.js";
import { type HttpAnswer, type HttpRequest, name, send } from "./http.js";
import { errorFromAnswer, parseServerError } from "./server-error.js";

/** Where the server does not say (RFC 8628 §3.2). */
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_DEVICE_SECONDS = 600;
const MAX_DEVICE_SECONDS = 24 * 3600;

/** A server with the py-oidc-auth routes: it holds the client's id and secret, we hold neither. */
export class RoutesServer implements AuthServer {
  readonly address: string;
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
    this.address = config.host;
  }

  async beginDevice(context: Context, signal?: AbortSignal): Promise<DeviceCode> {
    const request = { what: "device route", url: this.#config.deviceUrl, form: {}, signal };
    const answer = await send(request, context);
    if (answer.status === 200) return parseDeviceCode(request, answer);
    if (meansNoDeviceFlow(answer))
      throw errorFromAnswer(request, answer, { code: "device_flow_unsupported" });
    throw errorFromAnswer(request, answer);
  }

  async redeemDevice(deviceCode: string, context: Context, signal?: AbortSignal): Promise<DevicePoll> {
    const request = this.#tokenRequest({ "device-code": deviceCode }, signal);
    const answer = await send(request, context);
    if (answer.status === 200)
      return { status: "granted", token: tokenFromResponse(answer.json, context.now()) };
    const { error } = parseServerError(answer.json, answer.text);
    if (error === "authorization_pending") return { status: "pending" };
    if (error === "slow_down") return { status: "slow_down" };
    throw errorFromAnswer(request, answer);
  }

  async redirectPorts(context: Context, signal?: AbortSignal): Promise<readonly number[]> {
    const { redirectPorts, portsUrl } = this.#config;
    if (redirectPorts) return redirectPorts;
    const answer = await send({ what: "ports route", url: portsUrl, signal }, context);
    const listed = answer.status === 200 && isRecord(answer.json) ? answer.json["valid_ports"] : undefined;
    return Array.isArray(listed)
      ? listed.filter((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)
      : [];
  }

  async beginCode(redirectUri: string, context: Context, signal?: AbortSignal): Promise<CodeLogin> {
    const { loginUrl, prompt, offlineAccess, scopes } = this.#config;
    const url = new URL(loginUrl);
    url.searchParams.set("redirect_uri", redirectUri);
    url.searchParams.set("prompt", prompt);
    url.searchParams.set("offline_access", String(offlineAccess));
    if (scopes) url.searchParams.set("scope", scopes.join(" "));
    const request = { what: "login route", url, signal };
    const answer = await send(request, context);
    const target = isRedirect(answer.status) ? httpUrl(answer.location ?? "", url) : undefined;
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
      throw loginRouteError(request, answer);
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
    const request = this.#tokenRequest({ "refresh-token": token.refreshToken ?? "" }, undefined);
    const answer = await send(request, context);
    if (answer.status !== 200) throw errorFromAnswer(request, answer);
    return tokenFromResponse(answer.json, context.now(), token);
  }

  async #redeemCode(
    callback: URL,
    state: LoginState,
    redirectUri: string,
    context: Context,
    signal?: AbortSignal,
  ): Promise<Token> {
    const error = onlyParameter(callback, "error");
    if (error !== undefined) throw callbackError(error, onlyParameter(callback, "error_description"));
    const code = onlyParameter(callback, "code");
    if (!code)
      throw new AuthError("invalid_response", "The login came back without a code and without an error.");
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: state.codeVerifier,
    };
    const request = this.#tokenRequest(form, signal);
    const answer = await send(request, context);
    if (answer.status !== 200) throw errorFromAnswer(request, answer);
    return tokenFromResponse(answer.json, context.now());
  }

  #tokenRequest(form: Record<string, string>, signal: AbortSignal | undefined): HttpRequest {
    return { what: "token route", url: this.#config.tokenUrl, form, signal };
  }
}

/** The server's `state`: `<random>|<redirect_uri>|<code_verifier>`. Whoever sees it holds the verifier. */
class LoginState {
  readonly #raw: string;
  readonly redirectUri: string;
  readonly codeVerifier: string;

  private constructor(raw: string, redirectUri: string, codeVerifier: string) {
    this.#raw = raw;
    this.redirectUri = redirectUri;
    this.codeVerifier = codeVerifier;
  }

  static parse(raw: string | null): LoginState | undefined {
    const parts = raw?.split("|") ?? [];
    const [random, redirectUri, codeVerifier] = parts;
    if (raw === null || parts.length !== 3 || !random || !redirectUri || !codeVerifier) return undefined;
    return new LoginState(raw, redirectUri, codeVerifier);
  }

  /** In constant time, so that a guess learns nothing from how long the answer takes. */
  equals(other: string | undefined): boolean {
    const mine = Buffer.from(this.#raw);
    const theirs = Buffer.from(other ?? "");
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }
}

/** A parameter that stands exactly once: RFC 6749 §3.1 forbids repeating one, and a repeated one is an attack. */
function onlyParameter(url: URL, parameter: string): string | undefined {
  const values = url.searchParams.getAll(parameter);
  return values.length === 1 ? values[0] : undefined;
}

function stateMismatch(): AuthError {
  return new AuthError(
    "state_mismatch",
    "The answer of the browser does not belong to this login (wrong state).",
  );
}

/** The error that the provider sent the browser back with (RFC 6749 §4.1.2.1). */
function callbackError(error: string, description: string | undefined): AuthError {
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

/** All the ways in which servers say that they have no device flow. */
function meansNoDeviceFlow(answer: HttpAnswer): boolean {
  if ([404, 405, 501, 503].includes(answer.status)) return true;
  const { error, description } = parseServerError(answer.json, answer.text);
  if (error === "unsupported_grant_type" || error === "unauthorized_client") return true;
  return answer.status === 502 && /device_authorization_endpoint.*not found/i.test(description ?? "");
}

function loginRouteError(request: HttpRequest, answer: HttpAnswer): AuthError {
  if (answer.status < 500) return errorFromAnswer(request, answer);
  return errorFromAnswer(request, answer, {
    hint: "The server cannot start a login: its OpenID provider is probably down. Try again later, or tell its administrator.",
  });
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** A URL that a browser may be sent to: http(s) and nothing else. */
function httpUrl(value: string, base?: URL): URL | undefined {
  if (!URL.canParse(value, base?.href)) return undefined;
  const url = new URL(value, base?.href);
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
}

function parseDeviceCode(request: HttpRequest, answer: HttpAnswer): DeviceCode {
  const body = isRecord(answer.json) ? answer.json : {};
  const broken = (field: string) =>
    new AuthError("invalid_response", `The ${name(request)} answered without a usable ${field}.`);
  const text = (field: string) => (typeof body[field] === "string" ? body[field] : "");
  const deviceCode = text("device_code");
  const userCode = cleanText(text("user_code"), 64);
  const verificationUri = httpUrl(text("verification_uri"))?.href;
  const complete = httpUrl(text("verification_uri_complete"))?.href;
  if (!deviceCode) throw broken("device_code");
  if (!userCode) throw broken("user_code");
  if (!verificationUri) throw broken("verification_uri");
  return {
    uri: complete ?? verificationUri,
    verificationUri,
    ...(complete && { verificationUriComplete: complete }),
    userCode,
    deviceCode,
    expiresIn: Math.min(positive(body["expires_in"]) ?? DEFAULT_DEVICE_SECONDS, MAX_DEVICE_SECONDS),
    interval: positive(body["interval"]) ?? DEFAULT_INTERVAL_SECONDS,
  };
}
