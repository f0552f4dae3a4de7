import type { Entry, WriteCondition } from "./backend.js";
import { parseEntry, readEntry, textOf } from "./database-error.js";
import type { PostgresClient } from "./postgres-client.js";

/** The statements on the table of entries, each with a text of its own so that entries compare as they were written. */
export class PostgresRows {
  /** For CREATE TABLE. */
  readonly definition: string;
  readonly #table: string;
  readonly #query: PostgresClient["query"];

  constructor(table: string, query: PostgresClient["query"]) {
    this.#table = table;
    this.#query = query;
    this.definition = `${table} (key text PRIMARY KEY, entry text NOT NULL)`;
  }

  async get(key: string): Promise<Entry | undefined> {
    const { rows } = await this.#query(`SELECT entry FROM ${this.#table} WHERE key = $1`, [key]);
    const where = `the PostgreSQL table ${this.#table}`;
    return rows[0] && parseEntry(String(rows[0]["entry"]), key, where);
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const text = JSON.stringify(entry);
    const insert = `INSERT INTO ${this.#table} (key, entry) VALUES ($1, $2) ON CONFLICT`;
    if (!condition) {
      await this.#query(`${insert} (key) DO UPDATE SET entry = excluded.entry`, [key, text]);
      return true;
    }
    const { ifUnchanged } = condition;
    const update = `UPDATE ${this.#table} SET entry = $2 WHERE key = $1 AND entry = $3`;
    const { rowCount } = ifUnchanged
      ? await this.#query(update, [key, text, textOf(ifUnchanged)])
      : await this.#query(`${insert} DO NOTHING`, [key, text]);
    return rowCount === 1;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    if (condition && !condition.ifUnchanged) return false;
    const unchanged = condition?.ifUnchanged ? " AND entry = $2" : "";
    const values = condition?.ifUnchanged ? [key, textOf(condition.ifUnchanged)] : [key];
    const { rowCount } = await this.#query(`DELETE FROM ${this.#table} WHERE key = $1${unchanged}`, values);
    return rowCount === 1;
  }

  /** All that can be read: a damaged one is no reason that nothing is done with the others. */
  async all(): Promise<[key: string, entry: Entry][]> {
    const { rows } = await this.#query(`SELECT key, entry FROM ${this.#table} ORDER BY key`);
    return rows.flatMap((row): [string, Entry][] => {
      const entry = readEntry(String(row["entry"]));
      return entry ? [[String(row["key"]), entry]] : [];
    });
  }
}
