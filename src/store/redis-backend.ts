/**
 * Tokens in Redis, for many machines. Takes a client of the package `redis` or `ioredis`.
 *
 * @module oidc-auth-client/redis
 */
import { randomUUID } from "node:crypto";
import { durations, invalid } from "../settings/checks.js";
import type { Entry, LockOptions, TokenStoreBackend, WriteCondition } from "./backend.js";
import { parseEntry, readEntry, textOf, unavailable } from "./database-error.js";
import { lastEnd } from "./entry.js";
import { inTurn } from "./in-turn.js";
import { waitForLock } from "./wait-for-lock.js";

/** What is used of a client: node-redis 5 and 6 have `sendCommand`, ioredis has `call`. */
export type RedisClient =
  | {
      /** Sends a command (ioredis). */
      call(command: string, ...args: string[]): Promise<unknown>;
    }
  | {
      /** Sends a command (node-redis). */
      sendCommand(args: string[]): Promise<unknown>;
    };

/** Which Redis, and how its locks live. */
export interface RedisBackendOptions {
  /** A connected client of the package `redis` or `ioredis`. */
  client: RedisClient;
  /** What all keys begin with. Default `oidc-auth:`. */
  prefix?: string | undefined;
  /** Longest time (milliseconds) to wait for another process's refresh. Default 90,000. */
  waitMs?: number | undefined;
  /** A lock that is not renewed for this long (milliseconds) is free again. Default 15,000. */
  leaseMs?: number | undefined;
}

/** A write that happens only if the entry is still the one that was read; "" stands for none. */
const WRITE_IF_UNCHANGED = `
local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3]) end
return 1`;

/** Renews or frees a lock, only if it is still ours. */
const RENEW_IF_OURS = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const FREE_IF_OURS = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Keeps tokens in Redis, each with the time to live of its last end. A refresh holds a lock with a lease that is renewed
 * while it works. No write of a holder that lost its lock can replace a newer entry: the server compares.
 *
 * Each key stands in one hash slot with its lock, so a cluster will do.
 *
 * @throws AuthError `invalid_config`
 */
export function redisBackend(options: RedisBackendOptions): TokenStoreBackend {
  if (typeof options.client !== "object" || options.client === null) {
    throw invalid("client", "must be a connected client of the package redis or ioredis", undefined);
  }
  durations(options, ["waitMs", "leaseMs"], "milliseconds");
  return new RedisBackend(options);
}

class RedisBackend implements TokenStoreBackend {
  readonly description: string;
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #waitMs: number;
  readonly #leaseMs: number;
  readonly #turns = new Map<string, Promise<void>>();

  constructor({ client, prefix = "oidc-auth:", waitMs = 90_000, leaseMs = 15_000 }: RedisBackendOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#waitMs = waitMs;
    this.#leaseMs = leaseMs;
    this.description = `the Redis keys ${prefix}*`;
  }

  async get(key: string): Promise<Entry | undefined> {
    const text = await this.#command("GET", this.#name(key));
    return typeof text === "string" ? parseEntry(text, key, this.description) : undefined;
  }

  async set(key: string, entry: Entry, condition?: WriteCondition): Promise<boolean> {
    const text = JSON.stringify(entry);
    const end = lastEnd(entry);
    const until = end === undefined ? "" : String(Math.ceil(end * 1000));
    if (condition) {
      if (!(await this.#writeIf(key, condition, text, until))) return false;
    } else {
      await this.#command("SET", this.#name(key), text, ...(until ? ["PXAT", until] : []));
    }
    await this.#command("SADD", this.#index, key);
    return true;
  }

  async delete(key: string, condition?: WriteCondition): Promise<boolean> {
    if (condition && !condition.ifUnchanged) return false;
    const removed = condition
      ? await this.#writeIf(key, condition, "", "")
      : (await this.#command("DEL", this.#name(key))) === 1;
    if (removed) await this.#unlist(key);
    return removed;
  }

  async keys(): Promise<string[]> {
    const listed = await this.#command("SMEMBERS", this.#index);
    const keys: string[] = [];
    for (const key of Array.isArray(listed) ? listed.map(String).sort() : []) {
      const text = await this.#command("GET", this.#name(key));
      // Redis itself removes what has ended; the list of keys learns of it here.
      if (typeof text !== "string") await this.#unlist(key);
      else if (readEntry(text)) keys.push(key);
    }
    return keys;
  }

  /** Takes a key off the list, unless another process has just stored it anew: what is not listed is never cleared. */
  async #unlist(key: string): Promise<void> {
    await this.#command("SREM", this.#index, key);
    if ((await this.#command("EXISTS", this.#name(key))) === 1) await this.#command("SADD", this.#index, key);
  }

  /** Nothing to do: each entry has a time to live. */
  async prune(): Promise<void> {}

  async assertWritable(): Promise<void> {
    await this.#command("DEL", this.#name(""));
  }

  async withLock<T>(key: string, work: () => Promise<T>, options: LockOptions<T> = {}): Promise<T> {
    return inTurn(this.#turns, key, () => this.#locked(key, work, options), options);
  }

  async #locked<T>(key: string, work: () => Promise<T>, options: LockOptions<T>): Promise<T> {
    const lock = `${this.#name(key)}:lock`;
    const owner = randomUUID();
    const lease = String(this.#leaseMs);
    const tryLock = async () =>
      (await this.#command("SET", lock, owner, "NX", "PX", lease)) === "OK" ? owner : undefined;
    const waited = await waitForLock(tryLock, this.description, this.#waitMs, options);
    if ("ready" in waited) return waited.ready;
    // A renewal that fails only lets the lease run out: the write itself is compared by the server.
    const renewal = setInterval(
      () => void this.#script(RENEW_IF_OURS, lock, owner, lease).catch(() => {}),
      this.#leaseMs / 5,
    );
    renewal.unref();
    try {
      return await work();
    } finally {
      clearInterval(renewal);
      await this.#script(FREE_IF_OURS, lock, owner).catch(() => {});
    }
  }

  async #writeIf(
    key: string,
    { ifUnchanged }: WriteCondition,
    text: string,
    until: string,
  ): Promise<boolean> {
    const before = ifUnchanged ? textOf(ifUnchanged) : "";
    return (await this.#script(WRITE_IF_UNCHANGED, this.#name(key), before, text, until)) === 1;
  }

  #script(script: string, key: string, ...args: string[]): Promise<unknown> {
    return this.#command("EVAL", script, "1", key, ...args);
  }

  /** The braces make a cluster put an entry and its lock into one slot. */
  #name(key: string): string {
    return `${this.#prefix}{${key}}`;
  }

  get #index(): string {
    return `${this.#prefix}keys`;
  }

  async #command(command: string, ...args: string[]): Promise<unknown> {
    try {
      // ioredis has a `sendCommand` of another kind, so `call` comes first.
      return "call" in this.#client
        ? await this.#client.call(command, ...args)
        : await this.#client.sendCommand([command, ...args]);
    } catch (error) {
      const hint = "Check that Redis runs and can be reached, and that the client is connected.";
      throw unavailable(this.description, error, hint);
    }
  }
}
