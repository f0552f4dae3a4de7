import type { ClientAuth, Configuration, DPoPHandle } from "openid-client";
import type { Context } from "../context.js";
import type { IssuerSettings } from "../settings/issuer.js";
import type { DpopKey } from "../token.js";
import { clientAuth, privateKeyOf } from "./client-auth.js";
import { serverSeconds } from "./clock-skew.js";
import type { Discovery } from "./discovery.js";
import { dpopHandle } from "./dpop.js";
import { LibraryFetch } from "./library-fetch.js";
import { toAuthError } from "./openid-error.js";

export type Library = typeof import("openid-client");

/** The client that speaks: its own settings, with the id and secret it may have got by registration. */
export interface OpenIdClient {
  readonly settings: IssuerSettings;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

export interface Operation {
  readonly context: Context;
  readonly signal?: AbortSignal | undefined;
  /** Says who the client is in the place of its secret (RFC 7523 §2.2). */
  readonly clientAssertion?: string | undefined;
  /** The key that is proven with each request (RFC 9449). */
  readonly dpopKey?: DpopKey | undefined;
  /** Where the browser came back to, as it was told to the provider. */
  readonly redirectUri?: string | undefined;
}

/** What an operation works with: the library, and a configuration of it that lives for this one operation. */
export interface Speaking {
  readonly library: Library;
  readonly configuration: Configuration;
  /** To be spread into a request's options. */
  readonly proof: { DPoP?: DPoPHandle };
  readonly fetch: LibraryFetch;
}

/**
 * Lets `openid-client` speak for us: with our one way of sending, our bounds, and our errors. A configuration is made
 * for each operation, as the library keeps its `fetch`, and with it our signal, in there.
 *
 * @throws AuthError
 */
export async function speak<T>(
  client: OpenIdClient,
  discovery: Discovery,
  operation: Operation,
  work: (speaking: Speaking) => Promise<T>,
): Promise<T> {
  const library = await import("openid-client");
  const fetch = new LibraryFetch(
    operation.context,
    client.settings.allowInsecureHost,
    discovery,
    operation.signal,
  );
  try {
    const configuration = await configure(library, client, discovery, operation, fetch);
    const key = operation.dpopKey;
    const proof = key ? { DPoP: await dpopHandle(library, configuration, key) } : {};
    return await work({ library, configuration, proof, fetch });
  } catch (error) {
    throw toAuthError(error, discovery.issuer, fetch.last);
  }
}

async function configure(
  library: Library,
  client: OpenIdClient,
  discovery: Discovery,
  { clientAssertion, redirectUri }: Operation,
  fetch: LibraryFetch,
): Promise<Configuration> {
  const { settings } = client;
  const { document } = discovery;
  const at = new URL(String(document["token_endpoint"] ?? discovery.issuer));
  const metadata = {
    ...(settings.idTokenSigningAlg && { id_token_signed_response_alg: settings.idTokenSigningAlg }),
    ...(settings.clientAuthMethod === "tls_client_auth" && { use_mtls_endpoint_aliases: true }),
    // The library reads the real clock: the difference to the server's is told to it.
    [library.clockSkew]: serverSeconds(at) - Math.floor(Date.now() / 1000),
    [library.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
  };
  const proof = await clientAuth(library, client, document, clientAssertion);
  const auth: ClientAuth = (server, about, body, headers) => {
    // The library writes `http://localhost` as `http://localhost/`, which is another one to some providers.
    if (redirectUri !== undefined && body.has("redirect_uri")) body.set("redirect_uri", redirectUri);
    return proof(server, about, body, headers);
  };
  const insecure = settings.allowInsecureHost || !discovery.issuer.startsWith("https:");
  let configuration: Configuration;
  if (discovery.algorithm === "by hand") {
    const server = { ...document, issuer: discovery.issuer };
    configuration = new library.Configuration(server, client.clientId, metadata, auth);
    configuration[library.customFetch] = fetch.send;
    if (insecure) library.allowInsecureRequests(configuration);
  } else {
    // Answered from what we know, so that the library's own checks and provider quirks hold without a request.
    configuration = await library.discovery(new URL(discovery.issuer), client.clientId, metadata, auth, {
      algorithm: discovery.algorithm,
      execute: insecure ? [library.allowInsecureRequests] : [],
      [library.customFetch]: fetch.send,
    });
  }
  // Our own bound of each request holds.
  configuration.timeout = 0;
  if (settings.responseMode === "jwt") library.useJwtResponseMode(configuration);
  if (settings.decryptionKey !== undefined) {
    const { key, kid, alg } = await privateKeyOf(settings.decryptionKey, { use: "decrypt" });
    library.enableDecryptingResponses(configuration, undefined, {
      key,
      alg,
      ...(kid !== undefined && { kid }),
    });
  }
  return configuration;
}

/** Seconds that times in signed answers may be off, beside the measured difference of the clocks. */
const CLOCK_TOLERANCE_SECONDS = 30;
