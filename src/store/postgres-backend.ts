/**
 * Tokens in PostgreSQL, for many machines. Needs the package `pg`.
 *
 * @module oidc-auth-client/postgres
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AuthError } from "../errors.js";
import { durations } from "../settings/checks.js";
import type { Entry, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { unavailable } from "./database-error.js";
import { sameEntry } from "./entry.js";
import {
  connect,
  createTables,
  end,
  isConnectionLost,
  type PostgresClient,
  type PostgresPool,
  sqlState,
} from "./postgres-client.js";
import { PostgresRows } from "./postgres-rows.js";
import { waitForLock } from "./wait-for-lock.js";

export type { PostgresClient, PostgresPool };

/** Which database, and which table. Of `url` and `pool` one must be given. */
export interface PostgresBackendOptions {
  /** `postgres://…`; needs the package `pg`. A pool of two connections is made of it. */
  url?: string | undefined;
  /** A pool of your own. A refresh holds one of its connections while it waits for the auth server. */
  pool?: PostgresPool | undefined;
  /** Name of the table, with its schema if need be. Default `oidc_auth_tokens`. Made on first use. */
  table?: string | undefined;
  /** Longest time (milliseconds) to wait for another process's refresh. Default 90,000. */
  waitMs?: number | undefined;
  /** A holder that says nothing for this long (milliseconds) loses its lock. Default 75,000. */
  staleMs?: number | undefined;
}

/** Entries that are of no more use are looked for at most this often, in milliseconds. */
const PRUNE_EVERY_MS = 3_600_000;
/** PostgreSQL's code for a row that another transaction has locked. */
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Keeps tokens in PostgreSQL, or in what speaks its protocol and locks rows; it is tested with PostgreSQL itself. A
 * refresh holds the lock of a row; the token is written in the same transaction, so that both end together, and the lock
 * of a killed process ends with its connection.
 *
 * @throws AuthError `invalid_config`
 */
export function postgresBackend(options: PostgresBackendOptions): TokenStoreBackend {
  const table = options.table ?? "oidc_auth_tokens";
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i.test(table)) {
    throw new AuthError("invalid_config", "table must be a plain SQL name, such as auth.tokens.");
  }
  if ((options.url === undefined) === (options.pool === undefined)) {
    throw new AuthError("invalid_config", "url or pool must be given, and not both.");
  }
  durations(options, ["waitMs", "staleMs"], "milliseconds");
  return new PostgresBackend(options, table);
}

/** A transaction that holds a key's lock. */
interface Holding {
  readonly client: PostgresClient;
  /** The connection has dropped: what follows goes another way, what was written must be written again. */
  lost: boolean;
  /** What was written in it so far. */
  readonly writes: (() => Promise<void>)[];
}

class PostgresBackend implements TokenStoreBackend {
  readonly description: string;
  readonly #rows: PostgresRows;
  readonly #locks: string;
  readonly #waitMs: number;
  readonly #staleMs: number;
  readonly #openPool: () => Promise<PostgresPool>;
  /** The transaction that holds the lock, for what is done under it. */
  readonly #holding = new AsyncLocalStorage<Holding | undefined>();
  #pool: Promise<PostgresPool> | undefined;
  #tables: Promise<void> | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PostgresBackendOptions, table: string) {
    const { url, pool } = options;
    this.#rows = new PostgresRows(table, (text, values) => this.#query(text, values));
    this.#locks = `${table}_locks`;
    this.description = `the PostgreSQL table ${table}`;
    this.#waitMs = options.waitMs ?? 90_000;
    this.#staleMs = options.staleMs ?? 75_000;
    // A write may have to wait until the server has ended the transaction of a holder that was lost.
    const queryMs = Math.max(this.#waitMs, this.#staleMs);
    this.#openPool = async () => pool ?? (await connect(url ?? "", queryMs));
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#rows.get(key);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const written = await this.#rows.set(key, entry, condition);
    this.#remember(written, async () => {
      if (await this.#rows.set(key, entry, condition)) return;
      // The commit that seemed lost may have happened after all.
      if (!sameEntry(await this.get(key), entry))
        throw new Error("the entry was changed while the connection was lost");
    });
    return written;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    const removed = await this.#rows.delete(key, condition);
    this.#remember(removed, async () => void (await this.#rows.delete(key, condition)));
    return removed;
  }

  #remember(written: boolean, again: () => Promise<void>): void {
    const holding = this.#holding.getStore();
    if (written && holding && !holding.lost) holding.writes.push(again);
  }

  async keys(): Promise<string[]> {
    return (await this.#rows.all()).map(([key]) => key);
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    if (performance.now() - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = performance.now();
    for (const [key, entry] of await this.#rows.all()) {
      if (gone(entry)) await this.delete(key, { ifUnchanged: entry });
    }
  }

  async assertWritable(): Promise<void> {
    // There is no such key: it only shows whether writing is permitted.
    await this.#rows.delete("");
  }

  async withLock<T>(key: string, work: () => Promise<T>, options: LockOptions<T> = {}): Promise<T> {
    // Never in a transaction that holds another key: until that ends, nobody else would see what is to be locked.
    await this.#holding.run(undefined, () =>
      this.#query(`INSERT INTO ${this.#locks} (key) VALUES ($1) ON CONFLICT DO NOTHING`, [key]),
    );
    const waited = await waitForLock(() => this.#tryLock(key), this.description, this.#waitMs, options);
    return "lock" in waited ? this.#underLock(waited.lock, work) : waited.ready;
  }

  /** A connection in a transaction that holds the key's row; `undefined` where another one does. */
  async #tryLock(key: string): Promise<PostgresClient | undefined> {
    const client = await this.#connect();
    try {
      await client.query("BEGIN");
      // A holder that was stopped keeps its connection: the server ends its transaction for it.
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${Math.round(this.#staleMs)}`);
      await client.query(`SELECT key FROM ${this.#locks} WHERE key = $1 FOR UPDATE NOWAIT`, [key]);
      return client;
    } catch (error) {
      const busy = sqlState(error) === LOCK_NOT_AVAILABLE;
      await end(client, busy ? "ROLLBACK" : undefined);
      if (busy) return undefined;
      throw this.#failure(error);
    }
  }

  async #underLock<T>(client: PostgresClient, work: () => Promise<T>): Promise<T> {
    const holding: Holding = { client, lost: false, writes: [] };
    // A connection that drops while nobody listens would end this process.
    const onError = () => {
      holding.lost = true;
    };
    client.on("error", onError);
    try {
      const result = await this.#holding.run(holding, work);
      await this.#commit(holding);
      return result;
    } catch (error) {
      if (!holding.lost) await client.query("ROLLBACK").catch(onError);
      throw error instanceof AuthError ? error : this.#failure(error);
    } finally {
      client.off("error", onError);
      client.release(holding.lost);
    }
  }

  /** A spent refresh token's successor must not go down with a connection: it is written again over another one. */
  async #commit(holding: Holding): Promise<void> {
    if (!holding.lost) {
      try {
        await holding.client.query("COMMIT");
        return;
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        holding.lost = true;
      }
    }
    for (const writeAgain of holding.writes) await writeAgain();
  }

  async #query(text: string, values?: unknown[]): ReturnType<PostgresClient["query"]> {
    const holding = this.#holding.getStore();
    if (holding && !holding.lost) {
      try {
        return await holding.client.query(text, values);
      } catch (error) {
        if (!isConnectionLost(error)) throw this.#failure(error);
        holding.lost = true;
      }
    }
    const client = await this.#connect();
    try {
      const result = await client.query(text, values);
      client.release();
      return result;
    } catch (error) {
      client.release(isConnectionLost(error));
      throw this.#failure(error);
    }
  }

  async #connect(): Promise<PostgresClient> {
    try {
      this.#pool ??= this.#openPool();
      const client = await (await this.#pool).connect();
      this.#tables ??= createTables(client, [this.#rows.definition, `${this.#locks} (key text PRIMARY KEY)`]);
      try {
        await this.#tables;
        return client;
      } catch (error) {
        // The next call begins anew.
        this.#tables = undefined;
        client.release(true);
        throw error;
      }
    } catch (error) {
      throw error instanceof AuthError ? error : this.#failure(error);
    }
  }

  #failure(error: unknown): AuthError {
    const state = sqlState(error);
    const hint = state
      ? "Check the database's permissions and log."
      : "Check that the database runs and can be reached.";
    return unavailable(this.description, error, hint);
  }
}
