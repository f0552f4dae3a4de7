import type { Broker, TokenPayload } from "./broker.js";
import type { Grant } from "./faults.js";
import { detail, type ErrorShape, type Reply, upstreamError } from "./oauth-error.js";
import type { Upstream, UpstreamAnswer } from "./upstream.js";

const DAY = 24 * 3600;
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** Which grant a token request is for; the names have hyphens. */
export function grantOf(form: URLSearchParams): Grant | undefined {
  if (form.has("code")) return "code";
  if (form.has("device-code")) return "device";
  if (form.has("refresh-token")) return "refresh";
  if (form.get("grant_type") === TOKEN_EXCHANGE && form.has("subject_token")) return "exchange";
  return undefined;
}

/** POST /auth/v2/token: exchanges what the client sent at the provider. */
export class TokenRoute {
  readonly #upstream: Upstream;
  readonly #broker: Broker | undefined;
  readonly #graceMs: number;
  /** What used refresh tokens got, and until when (steady milliseconds) they get it again. */
  readonly #renewed = new Map<string, { readonly reply: Reply; readonly until: number }>();

  /** @param gracePeriod seconds for which a used refresh token is answered as the first time */
  constructor(upstream: Upstream, broker: Broker | undefined, gracePeriod: number) {
    this.#upstream = upstream;
    this.#broker = broker;
    this.#graceMs = gracePeriod * 1000;
  }

  async answer(form: URLSearchParams, shape: ErrorShape): Promise<Reply> {
    const used = form.get("refresh-token") ?? "";
    const known = this.#renewed.get(used);
    if (known && performance.now() < known.until) return known.reply;
    const reply = await this.#answer(form, shape);
    if (used && reply.status === 200)
      this.#renewed.set(used, { reply, until: performance.now() + this.#graceMs });
    return reply;
  }

  async #answer(form: URLSearchParams, shape: ErrorShape): Promise<Reply> {
    const grant = grantOf(form);
    if (!grant) return detail(400, "Missing (device) code or refresh_token");
    try {
      return await this.#exchange(grant, form, shape);
    } catch (error) {
      return detail(502, `Failed to contact OIDC endpoint: ${error instanceof Error ? error.message : "?"}`);
    }
  }

  async #exchange(grant: Grant, form: URLSearchParams, shape: ErrorShape): Promise<Reply> {
    const value = (name: string) => form.get(name) ?? "";
    if (grant === "refresh" && this.#broker)
      return this.#renewSession(this.#broker, value("refresh-token"), shape);
    if (grant === "exchange") return this.#trade(value("subject_token"));
    const answer = await this.#upstream.token(
      grant === "refresh"
        ? { grant_type: "refresh_token", refresh_token: value("refresh-token") }
        : grant === "device"
          ? { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: value("device-code") }
          : {
              grant_type: "authorization_code",
              code: value("code"),
              redirect_uri: value("redirect_uri"),
              code_verifier: value("code_verifier"),
            },
    );
    if (answer.status !== 200) return upstreamError(answer.text, shape);
    const lifetime = grant === "device" ? 30 * DAY : 3600;
    return {
      status: 200,
      body: this.#broker ? await this.#openSession(this.#broker, answer, lifetime) : payload(answer),
    };
  }

  /** Another token for one of a person whom we, or our provider, know (RFC 8693): in broker mode only. */
  async #trade(subjectToken: string): Promise<Reply> {
    if (!this.#broker) return detail(400, "Token exchange is not available in passthrough mode.");
    const name =
      (await this.#broker.verify(subjectToken)) ?? (await this.#upstream.userinfo(subjectToken))?.["sub"];
    if (name === undefined) return detail(401, "The subject token is not valid.");
    const session = { name: String(name), providerRefreshToken: "", scope: "openid", lifetime: 3600 };
    return { status: 200, body: await this.#broker.open(session) };
  }

  async #openSession(broker: Broker, answer: UpstreamAnswer, lifetime: number): Promise<TokenPayload> {
    const { access_token, refresh_token, scope } = payload(answer);
    const person = await this.#upstream.userinfo(access_token);
    return broker.open({
      name: String(person?.["sub"]),
      providerRefreshToken: refresh_token,
      scope,
      lifetime,
    });
  }

  async #renewSession(broker: Broker, token: string, shape: ErrorShape): Promise<Reply> {
    const session = broker.take(token);
    if (!session) return detail(401, "Session expired or not found. Please re-authenticate.");
    const answer = await this.#upstream.token({
      grant_type: "refresh_token",
      refresh_token: session.providerRefreshToken,
    });
    if (answer.status !== 200) return upstreamError(answer.text, shape);
    return { status: 200, body: await this.#openSession(broker, answer, session.lifetime) };
  }
}

/** The server's own form of a token answer: absolute ends, and three minutes where the provider is silent. */
function payload({ text }: UpstreamAnswer): TokenPayload {
  const answer = JSON.parse(text) as Record<string, unknown>;
  const now = Math.floor(Date.now() / 1000);
  return {
    access_token: String(answer["access_token"]),
    token_type: "Bearer",
    expires: now + Number(answer["expires_in"]),
    refresh_token: String(answer["refresh_token"] ?? ""),
    refresh_expires: now + 180,
    scope: String(answer["scope"] ?? ""),
  };
}
