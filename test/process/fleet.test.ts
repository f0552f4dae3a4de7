import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createClient } from "redis";
import { expect, it, onTestFinished } from "vitest";
import type { TokenStoreBackend } from "../../src/store/backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { type Database, openPool, startPostgres, startRedis } from "../support/databases.js";
import { logIn } from "../support/login.js";
import { type Child, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate-database.mjs");
const MACHINES = 4;
const PROCESSES = 4;
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

interface Place {
  readonly backend: TokenStoreBackend;
  /** What a worker is told. */
  readonly args: readonly string[];
}

async function postgres(): Promise<Place> {
  const database = await startPostgres();
  const pool = openPool(database.url);
  onTestFinished(async () => {
    await pool.end();
    await database.stop();
  });
  return { backend: postgresBackend({ pool, table: "fleet" }), args: ["postgres", database.url, "fleet"] };
}

async function redis(): Promise<Place> {
  const database = (await startRedis()) as Database;
  const client = await createClient({ url: database.url }).connect();
  onTestFinished(async () => {
    client.destroy();
    await database.stop();
  });
  return { backend: redisBackend({ client, prefix: "fleet:" }), args: ["redis", database.url, "fleet:"] };
}

async function outcome(child: Child): Promise<string> {
  child.process.stdin?.write("go\n");
  const line = await child.line((text) => /^(token|failed) /.test(text));
  expect(await child.ended()).toEqual({ code: 0, signal: null });
  return line;
}

/** Moves the end of the stored access token into the past. */
async function expire({ backend }: Place): Promise<void> {
  const [key = ""] = await backend.keys();
  const entry = await backend.get(key);
  if (!entry) throw new Error("Nothing is stored.");
  await backend.set(key, { ...entry, token: { ...entry.token, expires: 1_700_000_000 } });
}

async function fleetMakesOneRefresh(place: Place): Promise<void> {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false, tokenLatency: 50 });
  onTestFinished(() => server.close());
  await logIn(server.host, new TokenStore({ backend: place.backend }));
  const homes = Array.from({ length: MACHINES }, tempFolder);
  for (let round = 1; round <= 3; round++) {
    await expire(place);
    const children = homes.flatMap((home) =>
      Array.from({ length: PROCESSES }, () =>
        runNode(WORKER, [server.host, ...place.args], { HOME: home, XDG_CACHE_HOME: home }),
      ),
    );
    await Promise.all(children.map((child) => child.line((line) => line === "ready")));
    const outcomes = new Set(await Promise.all(children.map(outcome)));
    expect(outcomes.size, [...outcomes].join("\n")).toBe(1);
    expect([...outcomes][0]).toMatch(/^token Bearer /);
    expect(server.counts["token:refresh"]).toBe(round);
  }
}

it(
  `${MACHINES} machines with ${PROCESSES} processes each make one refresh over PostgreSQL`,
  { timeout: 120_000 },
  async () => fleetMakesOneRefresh(await postgres()),
);

it("a holder that was killed frees its lock in PostgreSQL", { timeout: 60_000 }, async () => {
  const { backend, args } = await postgres();
  const holder = runNode(join(import.meta.dirname, "workers/hold-postgres.mjs"), args.slice(1));
  await holder.line((line) => line === "inside");
  const store = new TokenStore({ backend });
  const waiter = store.update(
    "https://auth.example.org",
    async () => new Token({ accessToken: "next", expiresAt: 4e9 }),
  );
  holder.process.kill("SIGKILL");
  expect(await waiter).toMatchObject({ accessToken: "next" });
});

it.skipIf(!hasRedis)(
  `${MACHINES} machines with ${PROCESSES} processes each make one refresh over Redis`,
  { timeout: 120_000 },
  async () => fleetMakesOneRefresh(await redis()),
);
