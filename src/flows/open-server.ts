import { dirname } from "node:path";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { AuthError } from "../errors.js";
import type { AuthServer } from "../servers/auth-server.js";
import type { IssuerIdentity } from "../servers/issuer-server.js";
import type { ResourceMetadata } from "../servers/resource-metadata.js";
import type { IssuerSettings } from "../settings/issuer.js";
import type { TokenStore } from "../store/token-store.js";

export interface ServerQuestion {
  readonly config: Config;
  readonly store: TokenStore;
  readonly context: Context;
  readonly signal?: AbortSignal | undefined;
}

/** A server that can be spoken to, and whether this program registered itself there. */
export interface OpenServer {
  readonly server: AuthServer;
  /** Where its registration is kept; absent where a client id was given. */
  readonly registrationKey?: string;
}

/** Finds out who is to be spoken to, and as whom: an API is asked for its issuer, a program without a client id registers. */
export async function openServer(question: ServerQuestion): Promise<OpenServer> {
  const { settings } = question.config;
  if (settings.kind === "routes") {
    const { RoutesServer } = await import("../servers/routes-server.js");
    return { server: new RoutesServer(settings) };
  }
  const folder = folderOf(question.store);
  const api =
    settings.issuer === undefined || settings.clientId === undefined
      ? await askApi(question, settings)
      : undefined;
  const issuer = settings.issuer ?? api?.issuers[0];
  if (issuer === undefined) throw new AuthError("invalid_config", "issuer is missing.");
  if (api && !api.issuers.includes(issuer)) {
    throw new AuthError(
      "invalid_config",
      `issuer is none of those that ${settings.resource} names: ${api.issuers.join(", ")}.`,
    );
  }
  const { IssuerServer } = await import("../servers/issuer-server.js");
  const asked = api ? { scopes: api.scopes, dpopRequired: api.dpopRequired } : undefined;
  // The API's own name of itself is what its issuer knows it by.
  const spoken: IssuerSettings = api ? { ...settings, resource: api.resource } : settings;
  if (settings.clientId !== undefined) {
    const { clientId, clientSecret } = settings;
    const identity: IssuerIdentity = { issuer, clientId, clientSecret, registered: false, api: asked };
    return { server: new IssuerServer(spoken, identity, folder) };
  }
  const { registeredClient } = await import("./registered-client.js");
  const { clientId, clientSecret, key } = await registeredClient(
    question,
    { ...spoken, issuer },
    api?.scopes,
    folder,
  );
  const identity: IssuerIdentity = { issuer, clientId, clientSecret, registered: true, api: asked };
  return { server: new IssuerServer(spoken, identity, folder), registrationKey: key };
}

async function askApi(
  question: ServerQuestion,
  settings: IssuerSettings,
): Promise<ResourceMetadata | undefined> {
  const { resource, allowInsecureHost: allowInsecure } = settings;
  if (resource === undefined || settings.issuer !== undefined) return undefined;
  const { resourceMetadata } = await import("../servers/resource-metadata.js");
  const { context, signal } = question;
  return resourceMetadata({ resource, allowInsecure, folder: folderOf(question.store), context, signal });
}

/** Beside the store's file lies what providers say of themselves. */
export function folderOf(store: TokenStore): string | undefined {
  return store.path === undefined ? undefined : dirname(store.path);
}
