import { openBrowser } from "./flows/open-browser.js";
import { openSession, type Session, type Target } from "./flows/session.js";
import { inspectedAs } from "./inspection.js";
import type { LoginOptions } from "./options.js";
import type { Token } from "./token.js";

/** What a logout did. */
export interface Logout {
  /** Whether a login was stored, which is forgotten now. */
  readonly removed: boolean;
  /** Whether the server was told to revoke its tokens (RFC 7009); false where it cannot. */
  readonly revoked: boolean;
  /**
   * Where a browser ends the person's session at the provider; absent where it has no such place. It bears the id token
   * (`id_token_hint`), which spares the person a question there; `console.log` shows it without.
   */
  readonly endSessionUrl?: string;
}

/** Options of `logout()`. */
export interface LogoutOptions extends LoginOptions {
  /** Whether the browser is opened to end the person's session at the provider, too. Default false. */
  endSession?: boolean | undefined;
  /** Where the browser goes after that; must be registered at the provider. */
  postLogoutRedirectUri?: string | undefined;
}

/**
 * Revokes both tokens at the server (RFC 7009), and forgets the login.
 *
 * @returns whether they were revoked: false where nothing is stored, or the server has no revocation
 * @throws AuthError `network_error`, …: then the login is kept, as it still holds
 */
export async function revoke(target: Target, options: LoginOptions = {}): Promise<boolean> {
  const session = openSession(target, options);
  return (await end(session)).revoked;
}

/**
 * Logs out: revokes the tokens where the server can, forgets the login, and tells where a browser ends the session at
 * the provider (OpenID Connect RP-Initiated Logout); opens it where `endSession` says so.
 *
 * @throws AuthError `network_error`, …: then the login is kept, as it still holds
 */
export async function logout(target: Target, options: LogoutOptions = {}): Promise<Logout> {
  const { endSession = false, postLogoutRedirectUri, ...rest } = options;
  const session = openSession(target, rest);
  const { signal } = rest;
  const { token, removed, revoked } = await end(session);
  const { settings } = session.config;
  // A program that would have to register first has no session there that it could end.
  const unknown = token === undefined && settings.kind === "issuer" && settings.clientId === undefined;
  const server = unknown ? undefined : await session.server(signal);
  const url = await server?.endSessionUrl(token, postLogoutRedirectUri, session.context, signal);
  if (url && endSession) {
    const opener = rest.openBrowser === undefined || rest.openBrowser === false ? true : rest.openBrowser;
    // What the system opens stands in the list of processes, for all users of the machine to see.
    const { href } = typeof opener === "function" ? url : withoutIdToken(url);
    await openBrowser(opener, href, signal ?? new AbortController().signal);
  }
  const done = { removed, revoked };
  return url
    ? inspectedAs({ ...done, endSessionUrl: url.href }, { ...done, endSessionUrl: withoutIdToken(url).href })
    : done;
}

/** The address of a logout as it may be seen: without the id token the provider asks whether the person means it. */
export function withoutIdToken(endSessionUrl: string | URL): URL {
  const url = new URL(endSessionUrl);
  url.searchParams.delete("id_token_hint");
  return url;
}

/** Under the store's lock: a token that another process renews meanwhile would live on. */
async function end(
  session: Session,
): Promise<{ token: Token | undefined; removed: boolean; revoked: boolean }> {
  const { store, context, options } = session;
  const { account, signal } = options;
  const place = await session.place();
  if (!(await store.get(place, { account }))) return { token: undefined, removed: false, revoked: false };
  // Before the lock: it may have to ask an API, or a provider, who it is.
  const server = await session.server(signal);
  let [token, revoked]: [Token | undefined, boolean] = [undefined, false];
  await store.update(
    place,
    async (current) => {
      token = current;
      revoked = current ? await server.revoke(current, context, signal) : false;
      return undefined;
    },
    { account, signal },
  );
  return { token, removed: token !== undefined, revoked };
}
