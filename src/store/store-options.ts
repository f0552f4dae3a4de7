import type { Token } from "../token.js";
import type { TokenStoreBackend } from "./backend.js";
import type { EncryptionKey } from "./sealed-backend.js";

/** What tokens are kept in. Of `path`, `appName` and `backend` no more than one may be given. */
export interface TokenStoreOptions {
  /** Path of the store file; `~` is expanded. */
  path?: string | undefined;
  /**
   * Names the folder of the default file. Default `py-oidc-auth`: the Python client's own file. What `OIDC_TOKEN_FILE`
   * names takes its place.
   */
  appName?: string | undefined;
  /**
   * Seals each token in the file (JWE, A256GCM). 32 bytes, as they are or in base64 or hex; `{ env }` names a variable
   * that holds them; a function fetches them, say from a keychain.
   */
  encryptionKey?: EncryptionKey | undefined;
  /** Something else to keep tokens in. */
  backend?: TokenStoreBackend | undefined;
  /** Told of repairs, such as a damaged file that was kept aside. Default: `process.emitWarning`. */
  onWarning?: ((message: string) => void) | undefined;
  /** The environment variables that count. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Unix milliseconds. Default `Date.now`. */
  now?: (() => number) | undefined;
}

/** Which of several logins to one server is meant. */
export interface AccountOptions {
  /** Any name. Default: the one login that has none, which the Python client uses, too. */
  account?: string | undefined;
}

/** Options of {@link TokenStore.update}. */
export interface UpdateOptions extends AccountOptions {
  /** Ends the waiting for the lock; the function, once begun, is not interrupted. */
  signal?: AbortSignal | undefined;
  /** While waiting for another process: a token for which this is true is returned at once, without the lock. */
  done?: ((current: Token) => boolean) | undefined;
}
