import { inspectedAs } from "./inspection.js";
import { parseHost, serverAddress } from "./settings/address.js";
import { dropUndefined, invalid } from "./settings/checks.js";
import {
  type IssuerInit,
  type IssuerSettings,
  issuerSettings,
  type ResourceInit,
} from "./settings/issuer.js";
import { remembered } from "./settings/remembered.js";
import {
  type RouteOptions,
  type RoutesInit,
  type RoutesSettings,
  routesSettings,
} from "./settings/routes.js";

/** What a {@link Config} is made from: a server with the py-oidc-auth routes, an issuer, or an API that names one. */
export type ConfigInit = RoutesInit | IssuerInit | ResourceInit;

/** Whom we ask for tokens, and how to talk to it. Checked once, then frozen; does no I/O. */
export class Config {
  /** The server's address, for people: the host with the routes, the issuer, or the API that names one. */
  readonly host: string;
  /** Where its tokens are kept in a store: what {@link TokenStore.get} takes, too. */
  readonly storeKey: string;
  readonly #settings: RoutesSettings | IssuerSettings;

  /** @throws AuthError `invalid_config` (naming field and value), `insecure_host` */
  constructor(init: ConfigInit) {
    if (typeof init !== "object" || init === null) throw invalid("config", "must be an object", init);
    const settings = isRoutes(init) ? routesSettings(init) : issuerSettings(init);
    this.host = settings.kind === "routes" ? settings.host : (settings.issuer ?? settings.resource ?? "");
    this.storeKey = settings.kind === "routes" ? routesKey(settings) : issuerKey(settings);
    this.#settings = settings;
    // Whatever `console.log` and `util.inspect` are told to: no setting. No method, as a bundler could not leave it out.
    Object.freeze(inspectedAs(this, `Config { ${this.host} }`));
  }

  /**
   * All settings, checked. May hold secrets: however a Config is printed, copied or serialised, they are left out.
   *
   * @internal
   */
  get settings(): RoutesSettings | IssuerSettings {
    return this.#settings;
  }

  static readonly #known = new Map<string, Config>();

  /**
   * Makes a Config of whatever a caller may name a server by; a Config is given back as it is.
   *
   * @throws AuthError `invalid_config` (also for options beside a Config), `insecure_host`
   */
  static from(target: string | URL | Config | ConfigInit, options: RouteOptions = {}): Config {
    if (target instanceof Config) {
      const given = Object.entries(options).find(([, value]) => value !== undefined);
      if (given)
        throw invalid(given[0], "cannot be given beside a Config: put it into the Config", undefined);
      return target;
    }
    // A reused token should not cost a check of its server's address.
    if (typeof target === "string" && Object.values(options).every((value) => value === undefined))
      return remembered(Config.#known, target, (host) => new Config({ host }));
    const init = typeof target === "object" && !(target instanceof URL) ? target : { host: target };
    return new Config({ ...init, ...dropUndefined(options) } as ConfigInit);
  }
}

function isRoutes(init: ConfigInit): init is RoutesInit {
  if (!("host" in init) || init.host === undefined) return !("issuer" in init) && !("resource" in init);
  const other = ["issuer", "resource"].find(
    (name) => (init as unknown as Record<string, unknown>)[name] !== undefined,
  );
  if (other)
    throw invalid(`host and ${other}`, "cannot be given together: a server is one or the other", undefined);
  return true;
}

/** The Python client's key by origin; logins that need no person are kept apart from a person's. */
function routesKey({ host, credentials }: RoutesSettings): string {
  return credentials ? `${host}?${new URLSearchParams({ client_id: "", grant: credentials.kind })}` : host;
}

/**
 * A token belongs to a client, to what was asked for, and to whom: what differs in one of these is another login. The
 * Python client drops a query, so that it never takes one of these entries for its own.
 */
function issuerKey(settings: IssuerSettings): string {
  const { issuer, resource, clientId, audience, scopes, credentials, dpop, acrValues, maxAge } = settings;
  const asked = new URLSearchParams({ client_id: clientId ?? "" });
  if (credentials) asked.set("grant", credentials.kind);
  if (issuer !== undefined && resource !== undefined) asked.set("resource", resource);
  if (audience !== undefined) asked.set("audience", audience);
  if (scopes) asked.set("scope", [...scopes].sort().join(" "));
  if (dpop) asked.set("dpop", "1");
  // A stronger login is not had by a weaker one.
  if (acrValues) asked.set("acr_values", acrValues.join(" "));
  if (maxAge !== undefined) asked.set("max_age", String(maxAge));
  // What one provider takes beyond the standard may be what the token is for.
  for (const [name, value] of Object.entries(settings.parameters).sort()) asked.append(`p.${name}`, value);
  if (issuer === undefined) asked.set("api", "1");
  // Its query is part of an API's identity, too.
  const address = issuer ?? resource ?? "";
  const own = issuer === undefined ? parseHost(address).search : "";
  return `${serverAddress(address, true)}?${asked}${own && `&${own.slice(1)}`}`;
}
