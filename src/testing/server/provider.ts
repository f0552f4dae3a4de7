import { randomBytes } from "node:crypto";
import type { RequestListener } from "node:http";
import type { Configuration } from "oidc-provider";
import type { Controls } from "./controls.js";
import { type Listening, listen } from "./http.js";
import { DEVICE_PAGES, interactionPages } from "./interactions.js";
import { loadProvider, makeProvider, type ProviderInstance } from "./load-provider.js";
import { type Before, watchProvider } from "./provider-requests.js";
import { DEVICE_GRANT, NATIVE, providerSettings } from "./provider-settings.js";

export interface ProviderOptions {
  readonly redirectUris: readonly string[];
  readonly deviceFlow: boolean;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  /** Seconds. */
  readonly deviceCodeLifetime: number;
  /** Seconds; `undefined`: not stated. */
  readonly deviceInterval: number | undefined;
  readonly rotateRefreshTokens: boolean;
}

/** A running OpenID provider, and its two clients: the routes in front of it, and native programs. */
export interface RunningProvider {
  readonly issuer: string;
  readonly routesClient: { readonly id: string; readonly secret: string };
  readonly nativeClientId: string;
  /** Stops answering. What was granted is kept. */
  stop(): Promise<void>;
  /** Answers again, at the same address and with the same keys. */
  start(): Promise<void>;
  /** Revokes all that was granted: refresh tokens get `invalid_grant`. */
  revokeAll(): Promise<void>;
}

/**
 * Makes a provider, and what listens for it: its endpoints, and the pages on which a person logs in.
 *
 * @param bind begins to listen; returns the origin at which it does
 * @throws AuthError `not_supported` where the provider's package is not installed
 */
export async function openProvider(
  bind: (listener: RequestListener) => Promise<string>,
  settings: Configuration,
  {
    path = "",
    before = () => false,
    prepare,
  }: { path?: string; before?: Before; prepare?: (provider: ProviderInstance) => void } = {},
): Promise<{ issuer: string; provider: ProviderInstance }> {
  // Before anything listens that somebody would have to close.
  await loadProvider();
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const origin = await bind((request, response) => {
    // A connection kept by whoever asks would break under the first request after a stop and a start.
    response.shouldKeepAlive = false;
    handle(request, response);
  });
  const issuer = origin + path;
  const provider = await makeProvider(issuer, settings);
  prepare?.(provider);
  const callback = provider.callback();
  const interactions = interactionPages(provider);
  const answer: typeof interactions = async (request, response) => {
    if (await before(request, response)) return;
    if (request.url?.startsWith("/interaction/")) await interactions(request, response);
    else await callback(request, response);
  };
  handle = (request, response) => {
    // Whoever asked has gone.
    answer(request, response).catch(() => response.destroy());
  };
  return { issuer, provider };
}

/** Starts the real OpenID provider: device flow, PKCE, rotating refresh tokens whose reuse revokes the grant. */
export async function startProvider(options: ProviderOptions, controls: Controls): Promise<RunningProvider> {
  const routesClient = { id: "demo", secret: randomBytes(24).toString("base64url") };
  const grants = new Set<string>();
  let listener: RequestListener = () => {};
  let listening: Listening | undefined;
  const bind = async (given: RequestListener) => {
    listener = given;
    listening = await listen(0, given);
    return `http://127.0.0.1:${listening.port}`;
  };
  const { issuer, provider } = await openProvider(bind, await settingsFor(options, routesClient), {
    before: watchProvider(controls, routesClient.id),
    prepare: (made) => stateInterval(made, options.deviceInterval),
  });
  provider.on("grant.success", (context) => {
    const { entities, params, client } = context.oidc;
    if (entities.Grant) grants.add(entities.Grant.jti);
    const renewed = params?.["grant_type"] === "refresh_token" && client?.clientId !== routesClient.id;
    if (renewed) controls.count("refreshes");
  });
  const port = Number(new URL(issuer).port);
  return {
    issuer,
    routesClient,
    nativeClientId: NATIVE.client_id,
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

async function settingsFor(
  options: ProviderOptions,
  routesClient: RunningProvider["routesClient"],
): Promise<Configuration> {
  const grantTypes = ["authorization_code", "refresh_token", ...(options.deviceFlow ? [DEVICE_GRANT] : [])];
  const clients = [
    {
      client_id: routesClient.id,
      client_secret: routesClient.secret,
      // For a native program the provider would take any loopback port: ours must be registered.
      application_type: "web" as const,
      redirect_uris: [...options.redirectUris],
      grant_types: grantTypes,
      response_types: ["code" as const],
      id_token_signed_response_alg: "ES256" as const,
    },
    { ...NATIVE, grant_types: grantTypes },
  ];
  const { accessTokenLifetime, deviceCodeLifetime } = options;
  const settings = await providerSettings(clients, {
    accessToken: accessTokenLifetime,
    deviceCode: deviceCodeLifetime,
  });
  return {
    ...settings,
    rotateRefreshToken: options.rotateRefreshTokens,
    features: { ...settings.features, deviceFlow: { enabled: options.deviceFlow, ...DEVICE_PAGES } },
  };
}

/** The package leaves the seconds between polls to the client. */
function stateInterval(provider: ProviderInstance, interval: number | undefined): void {
  provider.use(async (context, next) => {
    await next();
    if (interval === undefined || context.oidc?.route !== "device_authorization") return;
    if (context.status === 200) Object.assign(context.body as object, { interval });
  });
}
