import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TokenStoreBackend } from "../../src/store/backend.js";
import { fileBackend } from "../../src/store/file-backend.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { sealedBackend } from "../../src/store/sealed-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { storeContract } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { type Database, openPool, startPostgres, startRedis } from "../support/databases.js";
import { tempFolder } from "../support/temp-folder.js";

type Pair = readonly [TokenStoreBackend, TokenStoreBackend];

function keepsTheContract(open: () => Promise<Pair>): void {
  for (const { name, run } of storeContract(open)) it(name, run);
}

function files(): [TokenStoreBackend, TokenStoreBackend] {
  const path = join(tempFolder(), "store.json");
  const open = () => fileBackend(path, { onWarning: (message) => expect.fail(message) });
  return [open(), open()];
}

describe("memory", () => {
  keepsTheContract(async () => {
    const memory = memoryBackend();
    return [memory, memory];
  });
});

describe("a file", () => keepsTheContract(async () => files()));

describe("a sealed file", () => {
  const key = randomBytes(32);
  keepsTheContract(async () => {
    const [one, two] = files();
    return [sealedBackend(one, key), sealedBackend(two, key.toString("base64"))];
  });
});

describe("PostgreSQL", () => {
  let database: Database;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await startPostgres();
    pool = openPool(database.url, 5);
  });
  afterAll(async () => {
    await pool?.end();
    await database?.stop();
  });
  const newTable = () => `tokens_${randomUUID().replaceAll("-", "")}`;

  keepsTheContract(async () => {
    const table = newTable();
    return [postgresBackend({ pool, table }), postgresBackend({ url: database.url, table })];
  });

  it("makes its table once, also when many begin at once", async () => {
    const table = newTable();
    const backends = Array.from({ length: 8 }, () => postgresBackend({ url: database.url, table }));
    await Promise.all(
      backends.map((backend, n) => backend.set(`https://h${n}.org`, { token: { access_token: "x" } })),
    );
    expect(await backends[0]?.keys()).toHaveLength(8);
  });

  it("an entry that is damaged is no trouble for the logins of other servers", async () => {
    const table = newTable();
    const store = new TokenStore({ backend: postgresBackend({ pool, table }) });
    expect(await store.hosts()).toEqual([]);
    await pool.query(`INSERT INTO ${table} (key, entry) VALUES ($1, $2)`, ["https://damaged.org", "{"]);
    await store.put("https://a.org", new Token({ accessToken: "a", expiresAt: 4e9 }));
    expect((await store.get("https://a.org"))?.accessToken).toBe("a");
    await expect(store.get("https://damaged.org")).rejects.toMatchObject({ code: "store_unreadable" });
  });

  /** Ends all other connections to the database, as a restart or a network failure does. */
  async function dropConnections(): Promise<void> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    await client.end();
  }

  it.each(["before the result is written", "after it"])(
    "a connection that drops %s loses no token",
    async (when) => {
      const backend = postgresBackend({ url: database.url, table: newTable() });
      const store = new TokenStore({ backend });
      const token = new Token({ accessToken: "new", expiresAt: 4e9, refreshToken: "rotated" });
      const key = "https://auth.example.org";
      await backend.withLock(key, async () => {
        const entry = { token: { access_token: "new", refresh_token: "rotated", expires: 4e9 } };
        if (when.startsWith("before")) await dropConnections();
        expect(await backend.set(key, entry, { ifUnchanged: undefined })).toBe(true);
        if (when.startsWith("after")) await dropConnections();
      });
      expect(await store.get(key)).toMatchObject({ accessToken: token.accessToken, refreshToken: "rotated" });
    },
  );

  it("that is down is store_unavailable, with what to do, and works again when it is back", async () => {
    const backend = postgresBackend({ url: "postgres://postgres:password@127.0.0.1:9/postgres" });
    await expect(backend.get("x")).rejects.toMatchObject({
      code: "store_unavailable",
      hint: expect.stringContaining("runs"),
    });
    await expect(backend.withLock("x", async () => 1)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it.each([[{ url: "postgres://x", pool: undefined, table: "a; DROP TABLE b" }], [{}]])(
    "%j is refused",
    (options) => {
      expect(() => postgresBackend(options)).toThrow(expect.objectContaining({ code: "invalid_config" }));
    },
  );
});

// The only part that does not come by npm; CI installs it.
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

describe.skipIf(!hasRedis)("Redis", () => {
  let database: Database | undefined;
  let node: ReturnType<typeof createClient>;
  let io: Redis;
  beforeAll(async () => {
    database = await startRedis();
    node = createClient({ url: database?.url ?? "" });
    await node.connect();
    io = new Redis(database?.url ?? "");
  });
  afterAll(async () => {
    node?.destroy();
    io?.disconnect();
    await database?.stop();
  });

  keepsTheContract(async () => {
    const prefix = `${randomUUID()}:`;
    return [redisBackend({ client: node, prefix }), redisBackend({ client: io, prefix })];
  });

  it("forgets an entry by itself when its last end has come", async () => {
    const prefix = `${randomUUID()}:`;
    const backend = redisBackend({ client: io, prefix });
    const end = Math.floor(Date.now() / 1000) + 3600;
    await backend.set("k", { token: { access_token: "a", expires: end } });
    await backend.set("never", { token: { access_token: "a", expires: end, refresh_token: "r" } });
    expect(await io.pexpiretime(`${prefix}{k}`)).toBe(end * 1000);
    expect(await io.pexpiretime(`${prefix}{never}`)).toBe(-1);
    await io.del(`${prefix}{k}`);
    expect(await backend.keys()).toEqual(["never"]);
  });

  it("renews its lock while it works, and takes a dead holder's over", async () => {
    const prefix = `${randomUUID()}:`;
    const backend = redisBackend({ client: io, prefix, leaseMs: 200 });
    await io.set(`${prefix}{k}:lock`, "a holder that died", "PX", 150);
    const left: number[] = [];
    await backend.withLock("k", async () => {
      // Each renewal sets the time to live anew: wait until one was seen after the first lease would have ended.
      const start = performance.now();
      while (performance.now() - start < 400) left.push(await io.pttl(`${prefix}{k}:lock`));
    });
    expect(Math.min(...left)).toBeGreaterThan(0);
    expect(await io.exists(`${prefix}{k}:lock`)).toBe(0);
  });

  it("keeps a holder that lost its lock from writing over a newer token", async () => {
    const prefix = `${randomUUID()}:`;
    const [late, next] = [redisBackend({ client: io, prefix }), redisBackend({ client: node, prefix })];
    const store = (backend: TokenStoreBackend) => new TokenStore({ backend });
    const token = (name: string) => new Token({ accessToken: name, expiresAt: 4e9 });
    await store(late).put("https://x.org", token("old"));
    const result = await store(late).update("https://x.org", async () => {
      await io.del(`${prefix}{https://x.org}:lock`);
      await store(next).update("https://x.org", async () => token("newer"));
      return token("stale");
    });
    expect(result).toMatchObject({ accessToken: "newer" });
    expect(await store(next).get("https://x.org")).toMatchObject({ accessToken: "newer" });
  });

  it("that is gone is store_unavailable", async () => {
    const client = createClient({ url: database?.url ?? "" });
    await client.connect();
    client.destroy();
    await expect(redisBackend({ client }).get("x")).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
