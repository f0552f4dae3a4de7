import { createAuthenticator } from "../authenticate.js";
import type { Target } from "../flows/session.js";
import type { AuthenticateOptions } from "../options.js";

/** One call of what {@link tokenProvider} gives. */
export interface TokenProviderCall {
  /** Ends the call with `login_cancelled`; with `login_timeout` where it is an `AbortSignal.timeout()`. */
  signal?: AbortSignal | undefined;
  /** An access token that the API has just refused (401): it is renewed, whatever its end says. */
  rejected?: string | undefined;
}

/**
 * A function that gives a valid access token, for SDKs that want a callback.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function tokenProvider(
  target: Target,
  options: AuthenticateOptions = {},
): (call?: TokenProviderCall) => Promise<string> {
  const token = createAuthenticator(target, options);
  return async ({ signal, rejected } = {}) => (await token({ signal, rejected })).accessToken;
}
