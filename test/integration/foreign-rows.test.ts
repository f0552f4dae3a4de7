import { Redis } from "ioredis";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TokenStoreBackend } from "../../src/store/backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { type Database, openPool, startPostgres, startRedis } from "../support/databases.js";

/** A database with logins, and a way to write to it past the library. */
interface Rows {
  readonly backend: TokenStoreBackend;
  write(key: string, text: string): Promise<unknown>;
}

const HOST = "https://auth.example.org";
/** As an administrator's script writes it, or `jsonb` shows it: the same entry in another writing. */
const WRITTEN = `{ "token": {"access_token": "old", "expires": 1.0e0, "refresh_token": "r\\u0030"}, "stored_at": 1 }`;

function rowsOfOthers(open: () => Rows): void {
  it("in another writing than ours are renewed, and nothing that was spent is lost", async () => {
    const { backend, write } = open();
    const store = new TokenStore({ backend });
    await write(HOST, WRITTEN);
    const renewed = await store.update(HOST, async (current) => {
      expect(current?.refreshToken).toBe("r0");
      return new Token({ accessToken: "new", expiresAt: 4e9, refreshToken: "r1" });
    });
    expect(renewed?.refreshToken).toBe("r1");
    expect((await store.get(HOST))?.refreshToken).toBe("r1");
  });

  it("in another writing are removed where that is asked for", async () => {
    const { backend, write } = open();
    await write("https://removed.example.org", WRITTEN);
    await new TokenStore({ backend }).update("https://removed.example.org", async () => undefined);
    expect(await backend.get("https://removed.example.org")).toBeUndefined();
  });

  it("that are damaged keep no other login from being listed and forgotten", async () => {
    const { backend, write } = open();
    const store = new TokenStore({ backend });
    await store.put("https://fine.example.org", new Token({ accessToken: "a", expiresAt: 4e9 }));
    await write("https://damaged.example.org", "{");
    expect(await store.hosts()).toEqual(expect.arrayContaining(["https://fine.example.org"]));
    expect(await store.clear()).toBeGreaterThan(0);
    expect(await store.hosts()).toEqual([]);
    await expect(store.get("https://damaged.example.org")).rejects.toMatchObject({
      code: "store_unreadable",
    });
  });
}

describe("rows of PostgreSQL", () => {
  let database: Database;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await startPostgres();
    pool = openPool(database.url, 5);
    await postgresBackend({ pool }).keys();
  });
  afterAll(async () => {
    await pool?.end();
    await database?.stop();
  });

  rowsOfOthers(() => ({
    backend: postgresBackend({ pool }),
    write: (key, text) =>
      pool.query("INSERT INTO oidc_auth_tokens (key, entry) VALUES ($1, $2)", [key, text]),
  }));

  it("lock a key also for work that another key's lock is held for", async () => {
    const backend = postgresBackend({ pool });
    await backend.withLock("outer", async () => {
      await backend.withLock("inner", async () => {
        const busy = backend.withLock("inner", async () => "taken twice", { giveUp: async () => "busy" });
        expect(await busy).toBe("busy");
      });
    });
  });
});

describe("keys of Redis", async () => {
  const database = await startRedis();
  if (!database) {
    it.skip("is not installed");
    return;
  }
  const client = new Redis(database.url);
  afterAll(async () => {
    client.disconnect();
    await database.stop();
  });

  rowsOfOthers(() => ({
    backend: redisBackend({ client }),
    write: async (key, text) => {
      await client.set(`oidc-auth:{${key}}`, text);
      await client.sadd("oidc-auth:keys", key);
    },
  }));

  it("are listed where one is stored at the moment at which another process forgets it", async () => {
    const plain = redisBackend({ client });
    const entry = { token: { access_token: "a", expires: 4e9 } };
    const key = "https://raced.example.org";
    await plain.set(key, entry);
    const slow = redisBackend({
      client: {
        call: async (command, ...args) => {
          // Between the entry and the list of keys another process logs in.
          if (command === "SREM") await plain.set(key, entry);
          return client.call(command, ...args);
        },
      },
    });
    await slow.delete(key);
    expect(await plain.get(key)).toEqual(entry);
    expect(await plain.keys()).toContain(key);
  });
});
