import { randomBytes } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import type { Configuration, JWK } from "oidc-provider";
import { type Listening, listen, readForm, sendHtml } from "./http.js";
import {
  codeConfirmPage,
  codeEntryPage,
  consentPage,
  deviceDonePage,
  escapeHtml,
  loginPage,
  page,
} from "./pages.js";

export interface ProviderOptions {
  readonly redirectUris: readonly string[];
  readonly deviceFlow: boolean;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  readonly deviceCodeLifetime: number;
  readonly rotateRefreshTokens: boolean;
}

/** A running OpenID provider, and the client that the routes in front of it use. */
export interface RunningProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Stops answering. What was granted is kept. */
  stop(): Promise<void>;
  /** Answers again, at the same address and with the same keys. */
  start(): Promise<void>;
  /** Revokes all that was granted: refresh tokens get `invalid_grant`. */
  revokeAll(): Promise<void>;
}

/** Starts the real OpenID provider: device flow, PKCE, rotating refresh tokens whose reuse revokes the grant. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const clientId = "demo";
  const clientSecret = randomBytes(24).toString("base64url");
  const settings = configuration(options, { clientId, clientSecret, keys: await signingKeys() });
  const grants = new Set<string>();
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const listener: RequestListener = (request, response) => {
    // A connection kept by whoever asks would break under the first request after a stop and a start.
    response.shouldKeepAlive = false;
    handle(request, response);
  };
  const first = await listen(0, listener);
  const { port } = first;
  let listening: Listening | undefined = first;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = await makeProvider(issuer, settings);
  provider.on("grant.success", (context) => {
    const grant = context.oidc.entities.Grant?.jti;
    if (grant) grants.add(grant);
  });
  const callback = provider.callback();
  const interactions = interactionPages(provider);
  handle = (request, response) => {
    if (request.url?.startsWith("/interaction/")) void interactions(request, response);
    else void callback(request, response);
  };
  return {
    issuer,
    clientId,
    clientSecret,
    stop: async () => {
      const stopping = listening;
      listening = undefined;
      await stopping?.close();
    },
    start: async () => {
      listening ??= await listen(port, listener);
    },
    revokeAll: async () => {
      for (const id of grants) await (await provider.Grant.find(id))?.destroy();
    },
  };
}

export async function signingKeys(): Promise<JWK[]> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "demo" } as JWK];
}

function configuration(
  options: ProviderOptions,
  client: { clientId: string; clientSecret: string; keys: JWK[] },
): Configuration {
  const hour = 3600;
  return {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        // For a native program the provider would take any loopback port: ours must be registered.
        application_type: "web",
        redirect_uris: [...options.redirectUris],
        grant_types: [
          "authorization_code",
          "refresh_token",
          ...(options.deviceFlow ? ["urn:ietf:params:oauth:grant-type:device_code"] : []),
        ],
        response_types: ["code"],
        id_token_signed_response_alg: "ES256",
      },
    ],
    jwks: { keys: client.keys },
    // The default of 15 s would keep short tokens alive.
    clockTolerance: 0,
    cookies: { keys: [randomBytes(24).toString("base64url")] },
    pkce: { required: () => true },
    rotateRefreshToken: options.rotateRefreshTokens,
    scopes: ["openid", "profile", "email", "offline_access"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: id, preferred_username: id, email: `${id}@example.org` }),
    }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: options.accessTokenLifetime,
      AuthorizationCode: 60,
      DeviceCode: options.deviceCodeLifetime,
      Grant: 14 * 24 * hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 14 * 24 * hour,
      Session: 14 * 24 * hour,
    },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
      deviceFlow: {
        enabled: options.deviceFlow,
        ...DEVICE_PAGES,
      },
    },
    renderError: (context, out) => {
      context.type = "html";
      context.body = problemPage(out.error_description ?? out.error);
    },
  };
}

export type ProviderInstance = InstanceType<typeof import("oidc-provider")["default"]>;

/** The pages on which a person enters the code of a device. */
export const DEVICE_PAGES = {
  userCodeInputSource: (context, form, _out, error) => {
    // The provider asks for another code also where the person has just said no: that would puzzle them.
    if (error?.name === "AbortedError") {
      context.body = page(
        "You denied access",
        "<p>Your device was not connected. You can close this tab.</p>",
      );
    } else context.body = codeEntryPage(form, error ? "That code is not valid (any more)." : undefined);
  },
  userCodeConfirmSource: (context, form, _client, _device, userCode) => {
    context.body = codeConfirmPage(form, userCode);
  },
  successSource: (context) => {
    context.body = deviceDonePage();
  },
} satisfies NonNullable<Configuration["features"]>["deviceFlow"];

/** The login and consent pages, and what their forms do: any name gets in. */
export function interactionPages(provider: ProviderInstance) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const details = await provider.interactionDetails(request, response);
      const here = `/interaction/${details.uid}`;
      const asked = String(details.params["scope"] ?? "").split(" ");
      if (request.method === "GET") {
        sendHtml(response, 200, details.prompt.name === "login" ? loginPage(here) : consentPage(here, asked));
        return;
      }
      const form = await readForm(request);
      const finish = (result: Parameters<typeof provider.interactionFinished>[2]) =>
        provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
      if (request.url?.endsWith("/login")) {
        await finish({ login: { accountId: form.get("login") || "alice" } });
      } else if (request.url?.endsWith("/abort")) {
        await finish({ error: "access_denied", error_description: "The person denied access." });
      } else {
        const known = details.grantId ? await provider.Grant.find(details.grantId) : undefined;
        const accountId = details.session?.accountId ?? "";
        const clientId = String(details.params["client_id"]);
        const grant = known ?? new provider.Grant({ accountId, clientId });
        grant.addOIDCScope(asked.join(" "));
        const ofApis = details.prompt.details["missingResourceScopes"] ?? {};
        for (const [api, scopes] of Object.entries(ofApis))
          grant.addResourceScope(api, (scopes as string[]).join(" "));
        await finish({ consent: { grantId: await grant.save() } });
      }
    } catch (error) {
      sendHtml(response, 400, problemPage(error instanceof Error ? error.name : "Error"));
    }
  };
}

function problemPage(problem: string): string {
  return page("That did not work", `<p>${escapeHtml(problem)}</p>`);
}

let loading: Promise<typeof import("oidc-provider")> | undefined;

export async function makeProvider(issuer: string, settings: Configuration): Promise<ProviderInstance> {
  // Loaded once for all servers that start at the same time, as the console is changed meanwhile.
  loading ??= withoutAdvice(() => import("oidc-provider"));
  const { default: Provider } = await loading;
  return withoutAdvice(() => new Provider(issuer, settings));
}

/** Leaves out the package's advice on running it for real: this is a demo, in memory on purpose. */
function withoutAdvice<T>(work: () => T): T {
  const { warn, info } = console;
  const except =
    (print: typeof console.warn): typeof console.warn =>
    (...words) => {
      if (!String(words[0]).includes("oidc-provider ")) print(...words);
    };
  const restore = () => void Object.assign(console, { warn, info });
  Object.assign(console, { warn: except(warn), info: except(info) });
  let result: T | undefined;
  try {
    result = work();
  } finally {
    if (result instanceof Promise) result.then(restore, restore);
    else restore();
  }
  return result;
}
