import { AuthError } from "../errors.js";
import { foreignCause } from "../foreign-error.js";

/** What is used of a `pg` client. */
export interface PostgresClient {
  /** Runs a statement with its values (`$1`, …). */
  query(
    text: string,
    values?: unknown[],
  ): Promise<{
    /** What it found, by the names of the columns. */
    rows: Record<string, unknown>[];
    /** How many rows it changed or found. */
    rowCount: number | null;
  }>;
  /** Gives the connection back to its pool; with an error, or true, it is closed. */
  release(error?: Error | boolean): void;
  /** Told when the connection breaks. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Is told no more. */
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** What is used of a `pg` pool. */
export interface PostgresPool {
  /** Takes a connection out of the pool. */
  connect(): Promise<PostgresClient>;
}

/** PostgreSQL's five characters for what went wrong; `undefined` where it was the connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the connection, and with it the transaction, is gone; as opposed to a statement that was refused. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error);
  // 08: connection exceptions; 57P: the server shuts down; 25P03: idle for too long in a transaction.
  return state === undefined || /^(08|57P|25P03)/.test(state);
}

/** Gives a connection back, with its transaction ended; without `statement` it is closed. */
export async function end(client: PostgresClient, statement: "ROLLBACK" | undefined): Promise<void> {
  if (statement === undefined) {
    client.release(true);
    return;
  }
  await client.query(statement).then(
    () => client.release(),
    () => client.release(true),
  );
}

/** Longest delay that a timer of Node takes, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @param queryMs longest time (milliseconds) for one statement: who fell silent may not be heard of for hours */
export async function connect(url: string, queryMs: number): Promise<PostgresPool> {
  try {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({
      connectionString: url,
      max: 4,
      connectionTimeoutMillis: 10_000,
      query_timeout: Math.min(queryMs, MAX_TIMER_MS),
      // A program that only wanted a token must be able to end.
      allowExitOnIdle: true,
    });
    // An idle connection that drops is replaced by the next call.
    pool.on("error", () => {});
    return pool;
  } catch (error) {
    throw new AuthError("store_unavailable", "The package pg cannot be loaded.", {
      cause: foreignCause(error),
      hint: "Install it beside this one: npm install pg",
    });
  }
}

/** Two processes made the table at once: the loser is told so in one of these ways. */
const MADE_MEANWHILE = new Set(["23505", "42P07", "42710"]);

/** Makes tables that are not there yet. */
export async function createTables(client: PostgresClient, definitions: readonly string[]): Promise<void> {
  for (const definition of definitions) {
    await client.query(`CREATE TABLE IF NOT EXISTS ${definition}`).catch((error: unknown) => {
      if (!MADE_MEANWHILE.has(sqlState(error) ?? "")) throw error;
    });
  }
}
