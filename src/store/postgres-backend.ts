import { AsyncLocalStorage } from "node:async_hooks";
import { AuthError } from "../errors.js";
import type { Entry, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { pauseBeforeRetry } from "./pause.js";

/** What is used of a `pg` client. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>;
  release(error?: Error | boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** What is used of a `pg` pool. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

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
/** Two processes made the table at once: the loser is told so in one of these ways. */
const MADE_MEANWHILE = new Set(["23505", "42P07", "42710"]);

/**
 * Keeps tokens in PostgreSQL, or in what speaks its protocol and locks rows (CockroachDB, YugabyteDB, Citus). A refresh
 * holds the lock of a row; the token is written in the same transaction, so that both end together, and the lock of
 * a killed process ends with its connection.
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
  return new PostgresBackend(options, table);
}

class PostgresBackend implements TokenStoreBackend {
  readonly description: string;
  readonly #table: string;
  readonly #locks: string;
  readonly #waitMs: number;
  readonly #staleMs: number;
  readonly #openPool: () => Promise<PostgresPool>;
  /** The connection that holds the lock, for what is done under it. */
  readonly #holding = new AsyncLocalStorage<PostgresClient>();
  #pool: Promise<PostgresPool> | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PostgresBackendOptions, table: string) {
    const { url, pool } = options;
    this.#table = table;
    this.#locks = `${table}_locks`;
    this.description = `the PostgreSQL table ${table}`;
    this.#waitMs = options.waitMs ?? 90_000;
    this.#staleMs = options.staleMs ?? 75_000;
    this.#openPool = async () => pool ?? (await connect(url ?? ""));
  }

  async get(key: string): Promise<Entry | undefined> {
    const { rows } = await this.#query(`SELECT entry FROM ${this.#table} WHERE key = $1`, [key]);
    const text = rows[0]?.["entry"];
    return typeof text === "string" ? (JSON.parse(text) as Entry) : undefined;
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const text = JSON.stringify(entry);
    if (!condition) {
      const conflict = "ON CONFLICT (key) DO UPDATE SET entry = excluded.entry";
      await this.#query(`INSERT INTO ${this.#table} (key, entry) VALUES ($1, $2) ${conflict}`, [key, text]);
      return true;
    }
    const { ifUnchanged } = condition;
    const { rowCount } = ifUnchanged
      ? await this.#query(`UPDATE ${this.#table} SET entry = $2 WHERE key = $1 AND entry = $3`, [
          key,
          text,
          JSON.stringify(ifUnchanged),
        ])
      : await this.#query(`INSERT INTO ${this.#table} (key, entry) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [key, text]);
    return rowCount === 1;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    if (condition && !condition.ifUnchanged) return false;
    const unchanged = condition?.ifUnchanged ? " AND entry = $2" : "";
    const values = condition?.ifUnchanged ? [key, JSON.stringify(condition.ifUnchanged)] : [key];
    const { rowCount } = await this.#query(`DELETE FROM ${this.#table} WHERE key = $1${unchanged}`, values);
    return rowCount === 1;
  }

  async keys(): Promise<string[]> {
    const { rows } = await this.#query(`SELECT key FROM ${this.#table} ORDER BY key`);
    return rows.map((row) => String(row["key"]));
  }

  async prune(gone: (entry: Entry) => boolean): Promise<void> {
    if (performance.now() - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = performance.now();
    const { rows } = await this.#query(`SELECT key, entry FROM ${this.#table}`);
    for (const { key, entry } of rows) {
      const ifUnchanged = JSON.parse(String(entry)) as Entry;
      if (gone(ifUnchanged)) await this.delete(String(key), { ifUnchanged });
    }
  }

  async assertWritable(): Promise<void> {
    await this.#query(`DELETE FROM ${this.#table} WHERE key = $1`, [""]);
  }

  async withLock<T>(key: string, work: () => Promise<T>, options: LockOptions<T> = {}): Promise<T> {
    const { signal, giveUp } = options;
    await this.#query(`INSERT INTO ${this.#locks} (key) VALUES ($1) ON CONFLICT DO NOTHING`, [key]);
    const start = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      const client = await this.#tryLock(key);
      if (client) return this.#underLock(client, work);
      const ready = await giveUp?.();
      if (ready !== undefined) return ready;
      const waited = performance.now() - start;
      if (waited > this.#waitMs) {
        const seconds = Math.round(waited / 1000);
        throw new AuthError("store_locked", `A token in ${this.description} has been in use for ${seconds} s.`);
      }
      await pauseBeforeRetry(waited, signal);
    }
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
    // A connection that drops while nobody listens would end this process.
    let dropped: Error | undefined;
    const onError = (error: Error) => {
      dropped = error;
    };
    client.on("error", onError);
    try {
      const result = await this.#holding.run(client, work);
      await client.query("COMMIT");
      client.off("error", onError);
      client.release();
      return result;
    } catch (error) {
      await end(client, dropped ? undefined : "ROLLBACK");
      client.off("error", onError);
      throw error instanceof AuthError ? error : this.#failure(error);
    }
  }

  async #query(text: string, values?: unknown[]): ReturnType<PostgresClient["query"]> {
    const holding = this.#holding.getStore();
    try {
      if (holding) return await holding.query(text, values);
      const client = await this.#connect();
      try {
        const result = await client.query(text, values);
        client.release();
        return result;
      } catch (error) {
        client.release(sqlState(error) === undefined);
        throw error;
      }
    } catch (error) {
      throw error instanceof AuthError ? error : this.#failure(error);
    }
  }

  async #connect(): Promise<PostgresClient> {
    this.#pool ??= this.#openPool().then((pool) => this.#prepared(pool));
    try {
      return await (await this.#pool).connect();
    } catch (error) {
      throw error instanceof AuthError ? error : this.#failure(error);
    }
  }

  async #prepared(pool: PostgresPool): Promise<PostgresPool> {
    const client = await pool.connect().catch((error: unknown) => {
      // The next call tries again.
      this.#pool = undefined;
      throw error;
    });
    try {
      for (const columns of [`${this.#table} (key text PRIMARY KEY, entry text NOT NULL)`, `${this.#locks} (key text PRIMARY KEY)`]) {
        await client.query(`CREATE TABLE IF NOT EXISTS ${columns}`).catch((error: unknown) => {
          if (!MADE_MEANWHILE.has(sqlState(error) ?? "")) throw error;
        });
      }
      client.release();
      return pool;
    } catch (error) {
      this.#pool = undefined;
      client.release(true);
      throw error;
    }
  }

  #failure(error: unknown): AuthError {
    const state = sqlState(error);
    const what = error instanceof Error ? error.message : "for an unknown reason";
    return new AuthError("store_unavailable", `The token store, ${this.description}, failed: ${what}.`, {
      cause: error,
      hint: state ? "Check the database's permissions and log." : "Check that the database runs and can be reached.",
    });
  }
}

