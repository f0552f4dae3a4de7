/**
 * The key to the tokens in the system's keychain, for desktops. Needs the package `@napi-rs/keyring`.
 *
 * @module oidc-auth-client/keychain
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { AuthError, isAuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import { openText } from "../secrets.js";
import { duration } from "../settings/checks.js";
import type { TokenStoreBackend } from "./backend.js";
import { defaultStorePath, expandPath } from "./default-path.js";
import { fileBackend } from "./file-backend.js";
import { sealedBackend } from "./sealed-backend.js";

const KEY_BYTES = 32;

/** Which entry of the keychain, which file beside it, and what to do where there is no keychain. */
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

/**
 * Keeps tokens sealed in a file, and the key to it in the system's keychain: macOS Keychain, Windows Credential
 * Manager, or the Secret Service. So no token is too large for the keychain, and the file alone is of no use to anybody.
 *
 * @throws AuthError `store_unavailable` where there is no keychain, or the package is missing; `store_unreadable` where
 *   the file was sealed with another key
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
  const { service = "oidc-auth-client", timeoutMs = 30_000 } = options;
  duration("timeoutMs", timeoutMs, "milliseconds");
  const read = () => askKeychain("get", service, timeoutMs);
  const known = (await read()) ?? (await file.withLock("keychain", async () => (await read()) ?? makeKey()));
  const bytes = Buffer.from(known, "base64");
  if (bytes.length !== KEY_BYTES) throw unavailable("its entry of that name is not one of ours");
  return bytes;

  async function makeKey(): Promise<string> {
    const key = randomBytes(KEY_BYTES).toString("base64");
    await askKeychain("set", service, timeoutMs, key);
    return key;
  }
}

/** One call to the keychain, ended when it takes too long: it may wait for a person who is not there. */
async function askKeychain(
  action: "get" | "set",
  service: string,
  timeoutMs: number,
  secret = "",
): Promise<string | undefined> {
  const program = fileURLToPath(new URL("./keychain-process.js", import.meta.url));
  const child = spawn(process.execPath, [program, action, service], { stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  // A child that ended at once reads nothing; what it printed says why.
  child.stdin.on("error", () => {});
  child.stdin.end(secret);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  await new Promise<void>((resolve, reject) => {
    child.once("error", (error) => reject(unavailable("its helper cannot be started", error)));
    child.once("close", () => resolve());
  }).finally(() => clearTimeout(timer));
  if (timedOut)
    throw unavailable(
      `it did not answer within ${timeoutMs / 1000} s`,
      undefined,
      "Unlock it, and try again.",
    );
  return answerIn(output);
}

function answerIn(output: string): string | undefined {
  const { value, error, missing } = parse(output);
  if (missing === true) {
    const remedy = "Install it: npm install @napi-rs/keyring.";
    throw unavailable("the package @napi-rs/keyring cannot be loaded", undefined, remedy);
  }
  if (typeof error === "string") throw unavailable(openText(error));
  if (value === undefined) throw unavailable("its helper ended without an answer");
  return typeof value === "string" ? value : undefined;
}

/** Half an answer is none; the parser would quote it, and with it the key. */
function parse(output: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(output);
    return isRecord(answer) ? answer : {};
  } catch {
    return {};
  }
}

function unavailable(why: string, cause?: unknown, remedy = "Start and unlock the keychain."): AuthError {
  return new AuthError("store_unavailable", `The system's keychain cannot be used: ${why}.`, {
    cause,
    hint: `${remedy} On a machine without one, use a file: new TokenStore({ path, encryptionKey }), or fallback: "file".`,
  });
}
