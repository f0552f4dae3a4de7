import { defaultStorePath } from "../store/default-path.js";

/** What a command line says of a server, besides its address. */
export interface Said {
  /** The address is that of an API, which says who gives tokens for it. */
  readonly api?: boolean | undefined;
  readonly resource?: string | undefined;
  readonly clientId?: string | undefined;
  readonly audience?: string | undefined;
  readonly dpop?: boolean | undefined;
}

/** Where tokens come from, in the terms of a Config. */
export interface Place {
  readonly host?: string;
  readonly issuer?: string;
  readonly resource?: string | undefined;
}

/** Whether an address is that of an API, of an issuer (which only issuers' options tell), or of the py-oidc-auth routes. */
export function placeOf(address: string, { api, resource, clientId, audience, dpop }: Said): Place {
  if (api) return { resource: address };
  const issuer = clientId !== undefined || resource !== undefined || audience !== undefined || dpop;
  return issuer ? { issuer: address, resource } : { host: address };
}

/** Scopes as people write them: separated by blanks or commas. */
export function scopesOf(text: string | undefined): string[] | undefined {
  return text?.split(/[\s,]+/).filter(Boolean);
}

/** The token file that a command line names, as it is or by its application; it counts more than `OIDC_TOKEN_FILE`. */
export function namedStore(
  { path, appName }: { path: string | undefined; appName: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return path ?? (appName === undefined ? undefined : defaultStorePath(appName, env));
}
