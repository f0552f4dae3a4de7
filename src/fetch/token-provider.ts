import { createAuthenticator } from "../authenticate.js";
import type { Target } from "../flows/session.js";
import type { AuthenticateOptions } from "../options.js";

/**
 * A function that gives a valid access token, for SDKs that want a callback.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function tokenProvider(
  target: Target,
  options: AuthenticateOptions = {},
): (call?: { signal?: AbortSignal }) => Promise<string> {
  const token = createAuthenticator(target, options);
  return async (call) => (await token({ signal: call?.signal })).accessToken;
}
