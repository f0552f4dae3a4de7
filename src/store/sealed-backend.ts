import { AuthError, isAuthError } from "../errors.js";
import { invalid } from "../settings/checks.js";
import type { Entry, HeldLock, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { sameEntry } from "./entry.js";

/** 32 bytes, as they are or in base64 or hex; a variable that holds them; or a function that fetches them. */
export type EncryptionKey =
  | Uint8Array
  | string
  | {
      /** The variable's name. */
      readonly env: string;
    }
  | (() => Promise<Uint8Array | string> | Uint8Array | string);

const KEY_BYTES = 32;

/** Whether an entry is sealed, so that it can be read only with a key. */
export function isSealed(entry: Entry): boolean {
  return typeof entry.token["jwe"] === "string" && entry.token["access_token"] === undefined;
}

export function sealedWithoutKey(where: string): AuthError {
  return new AuthError("store_unreadable", `The tokens in ${where} are sealed, and no key was given.`, {
    hint: "Give the key that they were sealed with: new TokenStore({ path, encryptionKey }).",
  });
}

/**
 * Seals the token of each entry of another backend: a JWE (RFC 7516), `dir` with A256GCM, bound to its key in the store,
 * so that one entry cannot be put in another's place. What is not sealed yet is read, and sealed when it is next
 * written.
 *
 * @throws AuthError `invalid_config` where the key cannot be one; `store_unreadable` where it is the wrong one
 */
export function sealedBackend(
  inner: TokenStoreBackend,
  key: EncryptionKey,
  env: Readonly<Record<string, string | undefined>> = process.env,
): TokenStoreBackend {
  return new SealedBackend(inner, key, env);
}

class SealedBackend implements TokenStoreBackend {
  readonly description: string;
  readonly #inner: TokenStoreBackend;
  readonly #fetchKey: () => Promise<Uint8Array>;
  /** What was opened, by the sealed entry: as long as the file is the same one, nothing is opened twice. */
  readonly #opened = new WeakMap<Entry, Entry>();
  #key: Promise<Uint8Array> | undefined;

  constructor(
    inner: TokenStoreBackend,
    key: EncryptionKey,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#inner = inner;
    this.description = inner.description;
    if (typeof key === "function") {
      this.#fetchKey = async () => keyBytes(await key());
    } else {
      const bytes = keyBytes(
        isVariable(key) ? (env[key.env] ?? "") : key,
        isVariable(key) ? key.env : undefined,
      );
      this.#fetchKey = async () => bytes;
    }
  }

  async get(key: string): Promise<Entry | undefined> {
    const sealed = await this.#inner.get(key);
    return sealed && this.#open(key, sealed);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const sealed = await this.#seal(key, entry);
    if (!condition) return this.#inner.set(key, sealed);
    const before = await this.#unchanged(key, condition);
    return before ? this.#inner.set(key, sealed, before) : false;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    if (!condition) return this.#inner.delete(key);
    const before = await this.#unchanged(key, condition);
    return before ? this.#inner.delete(key, before) : false;
  }

  async keys(): Promise<string[]> {
    return this.#inner.keys();
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    for (const key of await this.#inner.keys()) {
      const sealed = await this.#inner.get(key);
      if (!sealed) continue;
      const entry = await this.#open(key, sealed).catch((error: unknown) => {
        // Somebody else's, sealed with another key: not ours to judge.
        if (isAuthError(error, "store_unreadable")) return undefined;
        throw error;
      });
      if (entry && gone(entry)) await this.#inner.delete(key, { ifUnchanged: sealed });
    }
  }

  async assertWritable(): Promise<void> {
    await this.#keyOnce();
    await this.#inner.assertWritable();
  }

  async withLock<T>(
    key: string,
    work: (lock?: HeldLock) => Promise<T>,
    options?: LockOptions<T>,
  ): Promise<T> {
    return this.#inner.withLock(key, work, options);
  }

  /** The condition in terms of what is really stored; `undefined` where it does not hold any more. */
  async #unchanged(key: string, { ifUnchanged }: WriteCondition): Promise<WriteCondition | undefined> {
    const sealed = await this.#inner.get(key);
    const current = sealed && (await this.#open(key, sealed));
    return sameEntry(current, ifUnchanged) ? { ifUnchanged: sealed } : undefined;
  }

  async #seal(key: string, entry: Entry): Promise<Entry> {
    const { CompactEncrypt } = await import("jose");
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(entry.token)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", entry: key })
      .encrypt(await this.#keyOnce());
    return { ...entry, token: { jwe } };
  }

  async #open(key: string, sealed: Entry): Promise<Entry> {
    if (!isSealed(sealed)) return sealed;
    const known = this.#opened.get(sealed);
    if (known) return known;
    const { compactDecrypt } = await import("jose");
    const secret = await this.#keyOnce();
    let entry: Entry;
    try {
      const jwe = String(sealed.token["jwe"]);
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, secret, {
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
      });
      if (protectedHeader["entry"] !== key) throw new Error("it was moved there from another entry");
      entry = { ...sealed, token: JSON.parse(new TextDecoder().decode(plaintext)) as Entry["token"] };
    } catch {
      throw new AuthError(
        "store_unreadable",
        `The entry for ${key} in ${this.description} cannot be opened.`,
        {
          hint: "The encryption key is not the one it was sealed with. Give the right key, or remove the entry.",
        },
      );
    }
    this.#opened.set(sealed, entry);
    return entry;
  }

  #keyOnce(): Promise<Uint8Array> {
    this.#key ??= this.#fetchKey().catch((error: unknown) => {
      // The next call asks again: a keychain may be unlocked by then.
      this.#key = undefined;
      throw error;
    });
    return this.#key;
  }
}

function isVariable(key: Exclude<EncryptionKey, () => unknown>): key is { readonly env: string } {
  return typeof key === "object" && key !== null && !(key instanceof Uint8Array);
}

function keyBytes(key: Uint8Array | string, variable?: string): Uint8Array {
  const bytes = typeof key === "string" ? decode(key.trim()) : key;
  if (bytes instanceof Uint8Array && bytes.length === KEY_BYTES) return bytes;
  const name = variable === undefined ? "encryptionKey" : `encryptionKey (the variable ${variable})`;
  // Its value is a secret, also where it is a wrong one.
  throw invalid(name, "must be 32 bytes, such as `openssl rand -base64 32` prints", undefined);
}

function decode(text: string): Uint8Array {
  return Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? "hex" : "base64");
}
