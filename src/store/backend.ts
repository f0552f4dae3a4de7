/** What a token store keeps things in. Dumb: it knows no expiry and no policy. */

/**
 * One stored login, in the layout of the store file: names are the Python client's. Members that we do not know are
 * kept as they are.
 */
export interface Entry {
  /** The token by the Python client's names: `access_token`, `expires` (Unix seconds), `refresh_token`, … */
  readonly token: Readonly<Record<string, unknown>>;
  /** Unix seconds at which it was stored. */
  readonly stored_at?: number;
  /** Full address of the server it belongs to, where that is more than the key says. Ours. */
  readonly server?: string;
  /** Unix seconds since when it is not known whether its refresh token was spent: the answer was lost. Ours. */
  readonly refresh_lost_at?: number;
  /** What others keep there, which is written back as it was. */
  readonly [unknown: string]: unknown;
}

/** A write happens only if the entry is still this one; `undefined`: only if there is none. */
export interface WriteCondition {
  /** The entry as it was read. */
  readonly ifUnchanged: Entry | undefined;
}

/** How the waiting for a lock may end. */
export interface LockOptions<T> {
  /** Ends the waiting with `login_cancelled`; work that has begun is not interrupted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Asked again and again while waiting: what it returns ends the waiting at once, without the lock. So those who
   * only wait for somebody else's result do not queue up.
   */
  readonly giveUp?: (() => Promise<T | undefined>) | undefined;
}

/** What a backend may tell of a lock when work begins under it. */
export interface HeldLock {
  /** Whether the one who held it before died with it: what that one had begun may be done. */
  readonly takenOver: boolean;
}

/**
 * What a {@link TokenStore} keeps its tokens in. Dumb: it knows no expiry and no policy. `storeContract()` of
 * `oidc-auth-client/testing` has the tests that each must pass.
 */
export interface TokenStoreBackend {
  /** What it is, for messages: "the file /home/me/.cache/…". */
  readonly description: string;
  /** The newest entry. Takes no lock. @throws AuthError `store_unreadable` */
  get(key: string): Promise<Entry | undefined>;
  /**
   * Writes one entry whole; other keys survive. It is durable when the promise resolves.
   * @returns false where the condition did not hold, and nothing was written
   * @throws AuthError `store_unwritable`
   */
  set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean>;
  /**
   * Removes one entry; other keys survive.
   * @returns whether there was one, and the condition held
   * @throws AuthError `store_unwritable`
   */
  delete(key: string, condition?: WriteCondition): Promise<boolean>;
  /** The keys of all entries that can be read, in any order. */
  keys(): Promise<string[]>;
  /** Removes the entries that `gone` says are of no more use. */
  prune(gone: (entry: Entry) => boolean): Promise<void>;
  /** Throws `store_unwritable` now rather than after a person has logged in. */
  assertWritable(): Promise<void>;
  /**
   * Runs `work` while no other process, on any machine that shares the store, runs work for the same key. A lock
   * whose holder died is taken over; a live one never is. A backend that knows of it may tell `work`.
   *
   * @throws AuthError `store_locked` where it is not free in time, `store_unwritable` before `work` where its result
   *   could not be saved
   */
  withLock<T>(key: string, work: (lock?: HeldLock) => Promise<T>, options?: LockOptions<T>): Promise<T>;
}
