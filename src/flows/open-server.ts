import { AuthError } from "../errors.js";
import type { AuthServer } from "../servers/auth-server.js";
import type { IssuerIdentity } from "../servers/issuer-server.js";
import type { ResourceMetadata } from "../servers/resource-metadata.js";
import type { IssuerSettings } from "../settings/issuer.js";
import type { Entry } from "../store/backend.js";
import type { Token } from "../token.js";
import { folderOf, type ServerQuestion } from "./server-question.js";

/** A server that can be spoken to, and how this program is registered there, where it did that itself. */
export interface OpenServer {
  readonly server: AuthServer;
  readonly registration?: { readonly key: string; readonly entry: Entry | undefined };
}

/**
 * Finds out who is to be spoken to, and as whom: an API is asked for its issuer, a program without a client id registers.
 * A stored login decides both, so that its refresh token goes nowhere else.
 */
export async function openServer(question: ServerQuestion): Promise<OpenServer> {
  const { config, store, account } = question;
  const { settings } = config;
  if (settings.kind === "routes") {
    const { RoutesServer } = await import("../servers/routes-server.js");
    return { server: new RoutesServer(settings) };
  }
  const api = settings.issuer === undefined ? await askApi(question, settings) : undefined;
  const undecided = settings.issuer === undefined || settings.clientId === undefined;
  const stored = undecided ? await store.get(config, { account }) : undefined;
  const issuer = settings.issuer ?? issuerOf(api, stored);
  const { IssuerServer } = await import("../servers/issuer-server.js");
  const folder = folderOf(store);
  const asked = api ? { scopes: api.scopes, dpopRequired: api.dpopRequired } : undefined;
  // The API's own name of itself is what its issuer knows it by.
  const spoken = { ...settings, issuer, ...(api && { resource: api.resource }) };
  const open = (identity: Pick<IssuerIdentity, "clientId" | "clientSecret" | "registered">) =>
    new IssuerServer(spoken, { issuer, api: asked, ...identity }, folder);
  if (settings.clientId !== undefined) {
    const { clientId, clientSecret } = settings;
    return { server: open({ clientId, clientSecret, registered: false }) };
  }
  const { registeredClient } = await import("./registered-client.js");
  const of = stored?.issuer === issuer && !question.forgotten ? stored.clientId : undefined;
  const { clientId, clientSecret, key, entry } = await registeredClient(question, spoken, api?.scopes, of);
  return { server: open({ clientId, clientSecret, registered: true }), registration: { key, entry } };
}

/** The issuer of the stored login as long as the API names it, else the first: its order must not move a login. */
function issuerOf(api: ResourceMetadata | undefined, stored: Token | undefined): string {
  const issuers = api?.issuers ?? [];
  const issuer = issuers.find((one) => one === stored?.issuer) ?? issuers[0];
  if (issuer === undefined) throw new AuthError("invalid_config", "issuer is missing.");
  return issuer;
}

async function askApi(
  question: ServerQuestion,
  settings: IssuerSettings,
): Promise<ResourceMetadata | undefined> {
  const { resource, allowInsecureHost: allowInsecure } = settings;
  if (resource === undefined) return undefined;
  const { resourceMetadata } = await import("../servers/resource-metadata.js");
  return resourceMetadata({
    resource,
    allowInsecure,
    folder: folderOf(question.store),
    context: question.context,
    signal: question.signal,
  });
}
