import { publish } from "../debug/channel.js";
import { maskedUrl } from "../debug/masked.js";
import type { StoreMessage } from "../debug/message.js";
import { isAuthError } from "../errors.js";
import { dropUndefined, invalid } from "../settings/checks.js";
import { Token } from "../token.js";
import type { Entry, HeldLock, TokenStoreBackend, WriteCondition } from "./backend.js";
import { storePath } from "./default-path.js";
import { entryFromToken, isEntry, isGone, liveToken, refreshLostAt, sameLogin } from "./entry.js";
import { fileBackend } from "./file-backend.js";
import { isSealed, sealedBackend, sealedWithoutKey } from "./sealed-backend.js";
import { type StoreTarget, serverSlot } from "./server-slot.js";
import type { AccountOptions, TokenStoreOptions, UpdateOptions } from "./store-options.js";

interface Found {
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly server: string;
}

type Updated = { readonly token: Token | undefined } | { readonly failure: unknown };

/** Keeps tokens by server between runs, and is where processes that share a login meet. */
export class TokenStore {
  /** Path of the store file, where it is one. */
  readonly path: string | undefined;
  /**
   * Whether `OIDC_TOKEN_FILE` says which file it is, where it is set.
   *
   * @internal
   */
  readonly takesTokenFile: boolean;
  /**
   * Whether it can be read only with a key.
   *
   * @internal
   */
  readonly sealed: boolean;
  /** What the tokens are kept in. */
  readonly backend: TokenStoreBackend;
  readonly #now: () => number;

  /**
   * Opens nothing yet: files and databases are reached by the first call that needs them.
   *
   * @throws AuthError `invalid_config`
   */
  constructor(options: TokenStoreOptions = {}) {
    const { path, appName, backend, encryptionKey, env } = options;
    const given = Object.keys(dropUndefined({ path, appName, backend }));
    if (given.length > 1) throw invalid(given.join(" and "), "cannot be given together", undefined);
    this.#now = options.now ?? Date.now;
    this.sealed = encryptionKey !== undefined;
    this.takesTokenFile = path === undefined && backend === undefined;
    this.path = backend ? undefined : storePath(options, options.env);
    const plain = backend ?? fileBackend(this.path ?? "", { onWarning: options.onWarning ?? emitWarning });
    this.backend = encryptionKey === undefined ? plain : sealedBackend(plain, encryptionKey, env);
  }

  /**
   * The stored token of a server, also one whose access token has ended as long as it can be refreshed.
   *
   * @throws AuthError `store_unreadable`, `invalid_config`
   */
  async get(host: StoreTarget, { account }: AccountOptions = {}): Promise<Token | undefined> {
    const { key, entry } = await this.#find(host, account);
    const token = entry && this.#tokenOf(entry);
    this.#tell("read", key, { done: token !== undefined });
    return token;
  }

  /**
   * Stores a token, durably, and removes entries that are of no more use.
   *
   * @throws AuthError `store_unwritable`, `store_unreadable`, `store_locked`, `invalid_config`
   */
  async put(host: StoreTarget, token: Token, { account }: AccountOptions = {}): Promise<void> {
    if (!(token instanceof Token)) throw invalid("token", "must be a Token", undefined);
    const slot = await this.#find(host, account);
    const entry = entryFromToken(token, slot.server, this.#now(), slot.entry);
    await this.backend.set(slot.key, entry);
    this.#tell("written", slot.key, { done: true });
    await this.#prune();
  }

  /**
   * Forgets a server. Revokes nothing: `logout()` does.
   *
   * @returns whether there was something to forget
   * @throws AuthError `store_unwritable`, `store_unreadable`, `store_locked`, `invalid_config`
   */
  async remove(host: StoreTarget, { account }: AccountOptions = {}): Promise<boolean> {
    const { key } = await this.#find(host, account);
    const done = await this.backend.delete(key);
    this.#tell("removed", key, { done });
    return done;
  }

  /**
   * The servers with a stored login, as `https://host#account` where it has an account; `*` where the file holds one
   * bare token, which serves any.
   *
   * @throws AuthError `store_unreadable`
   */
  async hosts(): Promise<string[]> {
    const hosts: string[] = [];
    for (const key of await this.backend.keys()) {
      const entry = await this.backend.get(key);
      if (entry && this.#tokenOf(entry)) hosts.push(entry.server ?? key);
    }
    return hosts;
  }

  /**
   * Forgets all servers.
   *
   * @returns how many
   * @throws AuthError `store_unwritable`, `store_unreadable`, `store_locked`
   */
  async clear(): Promise<number> {
    let removed = 0;
    for (const key of await this.backend.keys()) {
      const entry = await this.backend.get(key);
      // What this program is registered as is no login, and goes with them.
      const registration = entry?.token["registration"] !== undefined;
      const login = entry !== undefined && (isEntry(entry) || isSealed(entry));
      if (!login && !registration) continue;
      const done = await this.backend.delete(key);
      this.#tell("removed", key, { done });
      if (done && login) removed++;
    }
    return removed;
  }

  /**
   * Changes a server's token while no other process does: locks it, reads it again, runs `work`, stores what it
   * returns (`undefined` removes the entry), and unlocks. A result is never written over a newer entry: where
   * somebody else wrote meanwhile, theirs is returned.
   *
   * Where `work` fails with an AuthError that says `answerLost`, the entry is kept, and remembers since when it is not
   * known whether its refresh token was spent.
   *
   * @param work told the stored token, and that time (Unix seconds) where there is one
   * @throws AuthError `store_locked`, `store_unwritable` (before `work` where that can be known), and what `work` throws
   */
  async update(
    host: StoreTarget,
    work: (current: Token | undefined, refreshLostAt?: number) => Promise<Token | undefined>,
    options: UpdateOptions = {},
  ): Promise<Token | undefined> {
    if (typeof work !== "function") throw invalid("work", "must be a function", undefined);
    const { signal, done, account } = options;
    const giveUp = async () => {
      const { entry } = await this.#find(host, account);
      const current = entry && this.#tokenOf(entry);
      return current && done?.(current) ? { token: current } : undefined;
    };
    const { sharedKey } = serverSlot(host, account);
    const begun = performance.now();
    let taken: number | undefined;
    const locked = async (lock?: HeldLock): Promise<Updated> => {
      taken = performance.now();
      this.#tell("lock_taken", sharedKey, { durationMs: taken - begun });
      const slot = await this.#find(host, account);
      const current = slot.entry && this.#tokenOf(slot.entry);
      const known = slot.entry && refreshLostAt(slot.entry);
      // Whoever died with the lock may have died waiting for an answer.
      const lostAt = known ?? (lock?.takenOver ? this.#now() / 1000 : undefined);
      try {
        const next = await work(current, lostAt);
        if (next === current) return { token: current };
        const entry = next && entryFromToken(next, slot.server, this.#now(), slot.entry);
        const written = await this.#replace(slot, entry);
        this.#tell(next ? "written" : "removed", slot.key, { done: written });
        return { token: written ? next : await this.get(host, { account }) };
      } catch (error) {
        const lost = lostAt ?? (isAuthError(error) && error.answerLost ? this.#now() / 1000 : undefined);
        if (!slot.entry || !current?.refreshToken || lost === undefined || lost === known) throw error;
        // What failed is what counts, also where this cannot be written.
        await this.#replace(slot, { ...slot.entry, refresh_lost_at: lost }).catch(() => {});
        // Thrown in here it would make a database undo that.
        return { failure: error };
      }
    };
    try {
      const updated = await this.backend.withLock(sharedKey, locked, { signal, giveUp });
      if (taken === undefined)
        this.#tell("lock_skipped", sharedKey, { durationMs: performance.now() - begun });
      if ("failure" in updated) throw updated.failure;
      return updated.token;
    } finally {
      if (taken !== undefined)
        this.#tell("lock_released", sharedKey, { durationMs: performance.now() - taken });
    }
  }

  #tell(action: StoreMessage["action"], slotKey: string, more: Partial<StoreMessage>): void {
    publish(() => {
      const [key = "", account] = slotKey.split("#");
      const store = this.backend.description;
      return { type: "store", action, store, key: maskedUrl(key), ...(account && { account }), ...more };
    });
  }

  /** Puts an entry, or nothing, in the place of the one that was read, unless there is another login by now. */
  async #replace({ key, entry: before }: Found, after: Entry | undefined): Promise<boolean> {
    const write = (condition: WriteCondition) =>
      after ? this.backend.set(key, after, condition) : this.backend.delete(key, condition);
    if (await write({ ifUnchanged: before })) return true;
    // Others may have noted something about the very same login.
    const now = await this.backend.get(key);
    return before !== undefined && sameLogin(now, before) && write({ ifUnchanged: now });
  }

  /** Where a server's entry is, or is to be. */
  async #find(host: StoreTarget, account: string | undefined): Promise<Found> {
    const { server, sharedKey, ownKey } = serverSlot(host, account);
    let [shared, damage]: [Entry | undefined, unknown] = [undefined, undefined];
    try {
      shared = await this.backend.get(sharedKey);
    } catch (error) {
      // Another server's, perhaps: that is no trouble for one that has an entry of its own.
      if (!isAuthError(error, "store_unreadable")) throw error;
      damage = error;
    }
    // Nearly all are there, and marked as this server's: no second look is needed.
    if (shared?.server === server) return { key: sharedKey, entry: shared, server };
    const own = await this.backend.get(ownKey);
    if (own) return { key: ownKey, entry: own, server };
    if (damage !== undefined) throw damage;
    // The origin's entry may be that of another server below it: theirs is never given to this one.
    const foreign = shared?.server !== undefined;
    return foreign ? { key: ownKey, entry: undefined, server } : { key: sharedKey, entry: shared, server };
  }

  #tokenOf(entry: Entry): Token | undefined {
    if (isSealed(entry)) throw sealedWithoutKey(this.backend.description);
    return liveToken(entry, this.#now());
  }

  async #prune(): Promise<void> {
    const now = this.#now();
    await this.backend.prune((entry) => isGone(entry, now));
  }
}

function emitWarning(message: string): void {
  process.emitWarning(message, "OidcAuthWarning");
}
