import { AuthError } from "../errors.js";
import { register } from "../servers/registration.js";
import type { IssuerSettings } from "../settings/issuer.js";
import type { Entry } from "../store/backend.js";
import { ANY_KEY } from "../store/file-document.js";
import { FAR_FUTURE } from "../token.js";
import { folderOf, type ServerQuestion } from "./server-question.js";

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Where the registration is kept in the store, and what stands there. */
  readonly key: string;
  readonly entry: Entry | undefined;
}

/**
 * The client that this program is at an issuer: as it registered before, else newly registered (RFC 7591). Kept in the
 * store, and made once for all processes that share it.
 *
 * @param storedClient the client of the stored login, which is used where no registration is kept
 */
export async function registeredClient(
  { store, context, signal }: ServerQuestion,
  settings: IssuerSettings & { readonly issuer: string },
  scopes: readonly string[] | undefined,
  storedClient: string | undefined,
): Promise<RegisteredClient> {
  const { backend } = store;
  const key = registrationKey(settings);
  const known = async () => parse(await backend.get(key), key, context.now());
  const kept = await known();
  if (kept && (storedClient ?? kept.clientId) === kept.clientId) return kept;
  // A login of an older registration, or one in a file of its own, is renewed as the client that it is of.
  if (storedClient !== undefined) {
    return { clientId: storedClient, clientSecret: undefined, key, entry: await backend.get(key) };
  }
  if ((await backend.keys()).includes(ANY_KEY)) {
    throw new AuthError(
      "invalid_config",
      `clientId is missing: ${backend.description} holds one bare token, and has no place for a registration.`,
      { hint: "Give the clientId, or use a store of the usual form." },
    );
  }
  const make = async () => {
    const made = await known();
    if (made) return made;
    const registration = await register({ settings, scopes, folder: folderOf(store), context, signal });
    const entry: Entry = {
      token: { ...NO_TOKEN, registration },
      stored_at: context.now() / 1000,
      server: key,
    };
    await backend.set(key, entry);
    const client = parse(entry, key, context.now());
    if (!client) {
      throw new AuthError("invalid_response", `The registration at ${settings.issuer} has ended already.`);
    }
    return client;
  };
  return backend.withLock(key, make, { giveUp: known, signal });
}

/** What the Python client expects of every entry of the file that it may share. */
const NO_TOKEN = {
  access_token: "",
  token_type: "Bearer",
  expires: FAR_FUTURE,
  refresh_token: "",
  refresh_expires: FAR_FUTURE,
  scope: "",
  headers: {},
};

/** What was registered with other scopes, redirect ports or another name is another client. */
function registrationKey(settings: IssuerSettings): string {
  const { issuer, clientName, scopes, redirectPorts, redirectUri, dpop } = settings;
  const made = new URLSearchParams({ client_id: "", registration: clientName });
  if (scopes) made.set("scope", [...scopes].sort().join(" "));
  if (redirectPorts) made.set("ports", redirectPorts.join(","));
  if (redirectUri) made.set("redirect_uri", redirectUri);
  if (dpop) made.set("dpop", "1");
  return `${issuer}?${made}`;
}

function parse(entry: Entry | undefined, key: string, now: number): RegisteredClient | undefined {
  const registration = (entry?.token["registration"] ?? {}) as Record<string, unknown>;
  const { client_id: clientId, client_secret: secret, client_secret_expires_at: end } = registration;
  if (typeof clientId !== "string") return undefined;
  if (typeof secret === "string" && typeof end === "number" && end > 0 && end <= now / 1000) return undefined;
  // Some servers give a secret also to a client that said it has none to prove itself with.
  const uses = typeof secret === "string" && registration["token_endpoint_auth_method"] !== "none";
  return { clientId, clientSecret: uses ? secret : undefined, key, entry };
}
