import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuthError } from "../../src/errors.js";
import type { TokenStoreBackend } from "../../src/store/backend.js";
import { fileBackend } from "../../src/store/file-backend.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { sealedBackend } from "../../src/store/sealed-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { testToken } from "../../src/testing/index.js";
import { type Database, startPostgres, startRedis } from "../support/databases.js";
import { tempFolder } from "../support/temp-folder.js";

/** What every kind of store remembers of a refresh whose answer was lost. */

const HOST = "https://auth.example.org";
const NOW = 1_800_000_000_000;
const now = () => NOW;

const expired = () => testToken({ accessToken: "old", expiresIn: -60, refreshToken: "r1", now });
const renewed = () => testToken({ accessToken: "new", refreshToken: "r2", now });
const failure = (answerLost: boolean) => new AuthError("network_error", "It was dropped.", { answerLost });

/** One refresh that fails. @returns since when the answer to an earlier one was lost */
async function failing(store: TokenStore, error: AuthError): Promise<number | undefined> {
  let told: number | undefined;
  const work = store.update(HOST, async (_current, lostAt) => {
    told = lostAt;
    throw error;
  });
  await expect(work).rejects.toBe(error);
  return told;
}

function remembers(open: () => TokenStoreBackend | Promise<TokenStoreBackend>): void {
  const made = async () => {
    const backend = await open();
    const store = new TokenStore({ backend, now });
    await store.put(HOST, expired());
    return { backend, store };
  };

  it("keeps the login, and since when it is not known whether its refresh token holds", async () => {
    const { backend, store } = await made();
    const before = await backend.get(HOST);
    expect(await failing(store, failure(true))).toBeUndefined();
    expect(await backend.get(HOST)).toEqual({ ...before, refresh_lost_at: NOW / 1000 });
    expect(await store.get(HOST)).toMatchObject({ accessToken: "old", refreshToken: "r1" });
    // The first loss is the one that counts, whatever fails after it.
    const later = new TokenStore({ backend, now: () => NOW + 5000 });
    expect(await failing(later, failure(true))).toBe(NOW / 1000);
    expect(await failing(later, failure(false))).toBe(NOW / 1000);
    expect((await backend.get(HOST))?.refresh_lost_at).toBe(NOW / 1000);
  });

  it("notes nothing where the refresh token surely was not spent", async () => {
    const { backend, store } = await made();
    const before = await backend.get(HOST);
    await failing(store, failure(false));
    expect(await backend.get(HOST)).toEqual(before);
  });

  it("forgets it with the next token, renewed or of a new login", async () => {
    const { backend, store } = await made();
    await failing(store, failure(true));
    await store.update(HOST, async () => renewed());
    expect(await backend.get(HOST)).not.toHaveProperty("refresh_lost_at");
    await failing(store, failure(true));
    await store.put(HOST, renewed());
    expect(await backend.get(HOST)).not.toHaveProperty("refresh_lost_at");
  });

  it("takes the token of a holder that comes back although another noted a loss meanwhile", async () => {
    const { backend, store } = await made();
    const token = await store.update(HOST, async () => {
      const entry = await backend.get(HOST);
      if (entry) await backend.set(HOST, { ...entry, refresh_lost_at: NOW / 1000 });
      return renewed();
    });
    expect(token).toMatchObject({ accessToken: "new" });
    expect(await store.get(HOST)).toMatchObject({ accessToken: "new", refreshToken: "r2" });
    expect(await backend.get(HOST)).not.toHaveProperty("refresh_lost_at");
  });
}

const file = () => {
  const path = join(tempFolder(), "store.json");
  return fileBackend(path, { onWarning: (message) => expect.fail(message) });
};

describe("memory", () => remembers(memoryBackend));
describe("a file", () => remembers(file));
describe("a sealed file", () => remembers(() => sealedBackend(file(), new Uint8Array(32).fill(7))));

describe("PostgreSQL, which undoes what is written under a lock whose work fails", () => {
  let database: Database;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await startPostgres();
    pool = new pg.Pool({ connectionString: database.url, max: 5 });
    pool.on("error", () => {});
  });
  afterAll(async () => {
    await pool?.end();
    await database?.stop();
  });
  remembers(() => postgresBackend({ pool, table: `tokens_${randomUUID().replaceAll("-", "")}` }));
});

const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

describe.skipIf(!hasRedis)("Redis", () => {
  let database: Database | undefined;
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    database = await startRedis();
    client = createClient({ url: database?.url ?? "" });
    await client.connect();
  });
  afterAll(async () => {
    client?.destroy();
    await database?.stop();
  });
  remembers(() => redisBackend({ client, prefix: `${randomUUID()}:` }));
});

describe("a file of one bare token", () => {
  it("remembers it in the same shape, and forgets it with the next token", async () => {
    const path = join(tempFolder(), "token.json");
    const bare = { access_token: "old", expires: NOW / 1000 - 60, refresh_token: "r1", theirs: 1 };
    writeFileSync(path, JSON.stringify(bare), { mode: 0o600 });
    const store = new TokenStore({ path, now });
    await failing(store, failure(true));
    const content = () => JSON.parse(readFileSync(path, "utf8"));
    expect(content()).toEqual({ ...bare, refresh_lost_at: NOW / 1000 });
    expect(await failing(store, failure(false))).toBe(NOW / 1000);
    await store.update(HOST, async () => renewed());
    expect(content()).toMatchObject({ access_token: "new", refresh_token: "r2", theirs: 1 });
    expect(content()).not.toHaveProperty("refresh_lost_at");
  });
});

describe("a note that the Python client carried over to another token", () => {
  it("is of no interest: it is older than that token", async () => {
    const backend = memoryBackend();
    const store = new TokenStore({ backend, now });
    await store.put(HOST, expired());
    const entry = await backend.get(HOST);
    await backend.set(HOST, { ...entry, token: entry?.token ?? {}, refresh_lost_at: NOW / 1000 - 3600 });
    expect(await failing(store, failure(false))).toBeUndefined();
  });
});

it("what is told where the note cannot be written is what failed", async () => {
  const inner = memoryBackend();
  const store = new TokenStore({ backend: inner, now });
  await store.put(HOST, expired());
  const backend: TokenStoreBackend = {
    description: inner.description,
    get: (key) => inner.get(key),
    set: () => Promise.reject(new AuthError("store_unwritable", "The disk is full.")),
    delete: (key) => inner.delete(key),
    keys: () => inner.keys(),
    prune: (gone) => inner.prune(gone),
    assertWritable: () => inner.assertWritable(),
    withLock: (key, work) => inner.withLock(key, work),
  };
  await failing(new TokenStore({ backend, now }), failure(true));
});
