import { createAuthenticator } from "./authenticate.js";
import { isAuthError } from "./errors.js";
import type { Target } from "./flows/session.js";
import type { AuthenticateOptions } from "./options.js";

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
  const authenticate = createAuthenticator(target, options);
  const { session } = authenticate;
  const { signal } = options;
  const token = await authenticate();
  const server = await session.server(signal);
  try {
    return await server.userinfo(token, session.context, signal);
  } catch (error) {
    if (!isAuthError(error, "invalid_token")) throw error;
    const renewed = await authenticate({ rejected: token.accessToken });
    return server.userinfo(renewed, session.context, signal);
  }
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
  const authenticate = createAuthenticator(target, options);
  const { session } = authenticate;
  const token = await authenticate();
  const server = await session.server(options.signal);
  return server.introspect(token, session.context, options.signal);
}
