import { createHash, randomBytes } from "node:crypto";
import type { RunningProvider } from "./provider.js";
import { FROM_ROUTES } from "./provider-requests.js";

/** The provider's answer, as it came. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly text: string;
}

/** How the routes speak with the provider: they hold the client's id and secret. */
export class Upstream {
  readonly #provider: RunningProvider;

  constructor(provider: RunningProvider) {
    this.#provider = provider;
  }

  /** Throws where the provider is down. */
  async discovery(): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#provider.issuer}/.well-known/openid-configuration`, {
      headers: FROM_ROUTES,
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  async post(endpoint: string, form: Record<string, string>): Promise<UpstreamAnswer> {
    const { id, secret } = this.#provider.routesClient;
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: { authorization, ...FROM_ROUTES },
      body: new URLSearchParams(form),
    });
    return { status: answer.status, text: await answer.text() };
  }

  async token(form: Record<string, string>): Promise<UpstreamAnswer> {
    return this.post(String((await this.discovery())["token_endpoint"]), form);
  }

  async userinfo(accessToken: string): Promise<Record<string, unknown> | undefined> {
    const endpoint = String((await this.discovery())["userinfo_endpoint"]);
    const answer = await fetch(endpoint, {
      headers: { authorization: `Bearer ${accessToken}`, ...FROM_ROUTES },
    });
    return answer.ok ? ((await answer.json()) as Record<string, unknown>) : undefined;
  }

  /** Where the browser is to go, with the verifier handed over inside `state`, as py-oidc-auth does. */
  async authorizationUrl(redirectUri: string, scope: string, prompt: string | null): Promise<URL> {
    const url = new URL(String((await this.discovery())["authorization_endpoint"]));
    const random = () => randomBytes(24).toString("base64url");
    const verifier = randomBytes(32).toString("base64url");
    const parameters = {
      response_type: "code",
      client_id: this.#provider.routesClient.id,
      redirect_uri: redirectUri,
      scope,
      state: [random(), redirectUri, verifier].join("|"),
      nonce: random(),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...(prompt && { prompt }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }
}
