import { randomBytes } from "node:crypto";
import { AuthError, isAuthError } from "../errors.js";
import type { TokenStoreBackend } from "./backend.js";
import { defaultStorePath, expandPath } from "./default-path.js";
import { fileBackend } from "./file-backend.js";
import { sealedBackend } from "./sealed-backend.js";

export interface KeychainBackendOptions {
  /** What the entry in the keychain is called. Default `oidc-auth-client`. */
  service?: string | undefined;
  /** The file that holds the sealed tokens; default: beside the default token file, `token-store.sealed.json`. */
  path?: string | undefined;
  /** Names the folder of the default file. */
  appName?: string | undefined;
  /**
   * What to do where there is no keychain: `"file"` keeps the tokens in a plain file (mode 0600) instead, with a
   * warning. Default: the error `store_unavailable`.
   */
  fallback?: "file" | undefined;
  /** Longest time (milliseconds) for one call to the keychain: a locked one may ask for ever. Default 30,000. */
  timeoutMs?: number | undefined;
  /** Told of a fallback and of repairs. Default: `process.emitWarning`. */
  onWarning?: ((message: string) => void) | undefined;
}

/** What is used of the package `@napi-rs/keyring`. */
interface KeychainEntry {
  getPassword(signal?: AbortSignal): Promise<string | null | undefined>;
  setPassword(password: string, signal?: AbortSignal): Promise<void>;
}

/**
 * Keeps tokens sealed in a file, and the key to it in the system's keychain: macOS Keychain, Windows Credential
 * Manager, or the Secret Service. So no token is too large for the keychain, and the file alone is of no use to anybody.
 *
 * Needs the package `@napi-rs/keyring`. Calls throw AuthError `store_unavailable` where there is no keychain.
 */
export async function keychainBackend(options: KeychainBackendOptions = {}): Promise<TokenStoreBackend> {
  const { fallback, appName } = options;
  const onWarning = options.onWarning ?? ((message) => process.emitWarning(message, "OidcAuthWarning"));
  const plainPath = defaultStorePath(appName);
  const path =
    options.path === undefined ? plainPath.replace(/\.json$/, ".sealed.json") : expandPath(options.path);
  const file = fileBackend(path, { onWarning });
  try {
    const key = await keychainKey(file, options);
    return sealedBackend(file, key);
  } catch (error) {
    if (fallback !== "file" || !isAuthError(error, "store_unavailable")) throw error;
    const plain = options.path === undefined ? plainPath : path;
    onWarning(`${error.message} Tokens are kept in the plain file ${plain} instead, as was asked for.`);
    return fileBackend(plain, { onWarning });
  }
}

/** The key in the keychain, made there where there is none yet: by one process, for all. */
async function keychainKey(file: TokenStoreBackend, options: KeychainBackendOptions): Promise<Uint8Array> {
  const entry = await openEntry(options.service ?? "oidc-auth-client");
  const timeoutMs = options.timeoutMs ?? 30_000;
  const read = () => bounded(timeoutMs, (signal) => entry.getPassword(signal));
  const known = (await read()) ?? (await makeKey(file, entry, read, timeoutMs));
  const bytes = Buffer.from(known, "base64");
  if (bytes.length !== 32) throw unavailable("the entry in the keychain is not one of ours");
  return bytes;
}

async function makeKey(
  file: TokenStoreBackend,
  entry: KeychainEntry,
  read: () => Promise<string | null | undefined>,
  timeoutMs: number,
): Promise<string> {
  return file.withLock("keychain", async () => {
    const made = await read();
    if (made) return made;
    const key = randomBytes(32).toString("base64");
    await bounded(timeoutMs, (signal) => entry.setPassword(key, signal));
    return key;
  });
}

async function openEntry(service: string): Promise<KeychainEntry> {
  try {
    const { AsyncEntry } = await import("@napi-rs/keyring");
    return new AsyncEntry(service, "token-store-key");
  } catch (error) {
    throw unavailable(
      "the package @napi-rs/keyring cannot be loaded",
      error,
      "Install it: npm install @napi-rs/keyring.",
    );
  }
}

/** A call to the keychain, which may wait for a person who is not there. */
async function bounded<T>(timeoutMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      stop.abort();
      reject(
        unavailable(`it did not answer within ${timeoutMs / 1000} s`, undefined, "Unlock it, and try again."),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([call(stop.signal), timeout]);
  } catch (error) {
    if (isAuthError(error)) throw error;
    throw unavailable(error instanceof Error ? error.message : "for an unknown reason", error);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(why: string, cause?: unknown, remedy = "Start and unlock the keychain."): AuthError {
  return new AuthError("store_unavailable", `The system's keychain cannot be used: ${why}.`, {
    cause,
    hint: `${remedy} On a machine without one, use a file: new TokenStore({ path, encryptionKey }), or fallback: "file".`,
  });
}
