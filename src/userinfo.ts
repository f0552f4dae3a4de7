import { type Authenticator, createAuthenticator } from "./authenticate.js";
import { isAuthError } from "./errors.js";
import { openSession, type Session, type Target } from "./flows/session.js";
import type { AuthenticateOptions } from "./options.js";
import type { AuthServer } from "./servers/auth-server.js";
import type { Token } from "./token.js";

/**
 * Claims about whom the token belongs to (OpenID Connect Core §5.3). Logs in where that is needed, and renews a token
 * that the server does not take any more.
 *
 * @throws AuthError `not_supported` where the server has no such endpoint, and what `authenticate()` throws
 */
export async function userinfo(
  target: Target,
  options: AuthenticateOptions = {},
): Promise<Record<string, unknown>> {
  const { session, token } = open(target, options);
  return withToken(session, token, options, (server, current) =>
    server.userinfo(current, session.context, options.signal),
  );
}

/**
 * What the server knows of the access token: `active`, and more (RFC 7662 §2.2). Most providers want a client that can
 * prove who it is.
 *
 * @throws AuthError `not_supported` where the server has no such endpoint, and what `authenticate()` throws
 */
export async function introspect(
  target: Target,
  options: AuthenticateOptions = {},
): Promise<Record<string, unknown>> {
  const { session, token } = open(target, options);
  const current = await token();
  const server = await session.server(options.signal);
  return server.introspect(current, session.context, options.signal);
}

function open(target: Target, options: AuthenticateOptions): { session: Session; token: Authenticator } {
  const { flow: _flow, ...rest } = options;
  return { session: openSession(target, rest), token: createAuthenticator(target, options) };
}

async function withToken<T>(
  session: Session,
  token: Authenticator,
  { signal }: AuthenticateOptions,
  work: (server: AuthServer, token: Token) => Promise<T>,
): Promise<T> {
  const first = await token();
  const server = await session.server(signal);
  try {
    return await work(server, first);
  } catch (error) {
    if (!isAuthError(error, "invalid_token")) throw error;
    return work(server, await token({ rejected: first.accessToken }));
  }
}
