import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "redis";
import { TokenStore, type TokenStoreBackend } from "../src/index.js";
import { fileBackend } from "../src/store/file-backend.js";
import { postgresBackend } from "../src/store/postgres-backend.js";
import { redisBackend } from "../src/store/redis-backend.js";
import { type AuthServer, startAuthServer } from "../src/testing/index.js";
import { openPool, startPostgres, startRedis } from "../test/support/databases.js";
import { logIn } from "../test/support/login.js";

/**
 * `npm run bench:store`: what a reused token costs, and what a stampede does. All figures of one run, as ratios: they
 * say nothing about another machine.
 */

const WORKERS = join(import.meta.dirname, "../test/process/workers");
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Microseconds of one call, the median of some rounds. */
async function measure(calls: number, call: () => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    for (let n = 0; n < calls; n++) await call();
    rounds.push(((performance.now() - start) * 1000) / calls);
  }
  return rounds.sort((a, b) => a - b)[4] ?? Number.NaN;
}

async function benchReuse(folder: string): Promise<void> {
  say("\nA reused token in one process, against a bare statSync of the store file");
  // What is installed: run from its source, by tsx, each function costs more.
  const { authenticate, Token, TokenStore } = await import("oidc-auth-client");
  const path = join(folder, "reuse.json");
  const store = new TokenStore({ path });
  await store.put("https://auth.example.org", new Token({ accessToken: "a", expiresAt: 4e9 }));
  const bare = await measure(20_000, () => statSync(path));
  const reused = await measure(20_000, () => authenticate("https://auth.example.org", { store }));
  const inStore = await measure(20_000, () => store.get("https://auth.example.org"));
  say(`  statSync        ${bare.toFixed(1).padStart(7)} µs`);
  say(`  store.get()     ${inStore.toFixed(1).padStart(7)} µs  ${(inStore / bare).toFixed(1)} ×`);
  say(`  authenticate()  ${reused.toFixed(1).padStart(7)} µs  ${(reused / bare).toFixed(1)} ×`);
}

async function benchEntries(folder: string): Promise<void> {
  say("\nget() by the number of entries: read anew, and from the memory copy");
  let first = 0;
  for (const entries of [1, 100, 10_000]) {
    const path = join(folder, `entries-${entries}.json`);
    const hosts = Array.from({ length: entries }, (_, n) => `https://h${n}.example.org`);
    const content = hosts.map((host) => [host, { token: { access_token: "a".repeat(200), expires: 4e9 } }]);
    writeFileSync(path, JSON.stringify(Object.fromEntries(content)), { mode: 0o600 });
    const anew = await measure(entries > 1000 ? 5 : 300, () =>
      new TokenStore({ path }).get("https://h0.example.org"),
    );
    const store = new TokenStore({ path });
    const again = await measure(5000, () => store.get("https://h0.example.org"));
    first ||= anew;
    const ratio = `${(anew / first).toFixed(1)} × one entry`;
    say(
      `  ${String(entries).padStart(6)}  anew ${anew.toFixed(0).padStart(7)} µs (${ratio})  again ${again.toFixed(1)} µs`,
    );
  }
}

interface Outcome {
  readonly refreshes: number;
  readonly failures: number;
  readonly ms: number;
}

/** Starts workers, lets all go at once, and counts. Time runs from the start signal to the last answer. */
async function stampede(
  server: AuthServer,
  workers: number,
  script: string,
  args: string[],
): Promise<Outcome> {
  const before = server.counts["token:refresh"] ?? 0;
  const homes = Array.from({ length: 4 }, () => mkdtempSync(join(tmpdir(), "oidc-auth-bench-")));
  const children = Array.from({ length: workers }, (_, n) => {
    const child = spawn(process.execPath, [join(WORKERS, script), server.host, ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: homes[n % 4] ?? "" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  for (const { lines } of children) await lines.next();
  const start = performance.now();
  for (const { child } of children) child.stdin.write("go\n");
  const answers = await Promise.all(children.map(({ lines }) => lines.next()));
  const ms = performance.now() - start;
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  const failures = answers.filter(({ value }) => !String(value).startsWith("token ")).length;
  return { refreshes: (server.counts["token:refresh"] ?? 0) - before, failures, ms };
}

async function benchStampede(
  name: string,
  backend: TokenStoreBackend,
  script: string,
  args: string[],
): Promise<void> {
  say(`\nA stampede over ${name}: an expired token, a refresh token good for one use, 50 ms latency`);
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false, tokenLatency: 50 });
  await logIn(server.host, new TokenStore({ backend }));
  let alone = 0;
  for (const workers of [1, 8, 32, 64]) {
    const [key = ""] = await backend.keys();
    const entry = await backend.get(key);
    if (!entry) throw new Error("The login is gone.");
    await backend.set(key, { ...entry, token: { ...entry.token, expires: 1_700_000_000 } });
    const { refreshes, failures, ms } = await stampede(server, workers, script, args);
    alone ||= ms;
    const time = `${ms.toFixed(0).padStart(6)} ms (${(ms / alone).toFixed(1)} × one process)`;
    say(`  ${String(workers).padStart(3)} processes  ${refreshes} refresh  ${failures} failures  ${time}`);
  }
  await server.close();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oidc-auth-bench-"));
  const onWarning = (message: string) => say(message);
  try {
    await benchReuse(folder);
    await benchEntries(folder);
    const path = join(folder, "stampede.json");
    await benchStampede("one file", fileBackend(path, { onWarning }), "authenticate.mjs", [path]);
    const postgres = await startPostgres();
    const pool = openPool(postgres.url);
    const database = "authenticate-database.mjs";
    await benchStampede("PostgreSQL, 4 machines", postgresBackend({ pool, table: "bench" }), database, [
      "postgres",
      postgres.url,
      "bench",
    ]);
    await pool.end();
    await postgres.stop();
    const redis = await startRedis();
    if (!redis) {
      say("\nRedis is not installed here: left out.");
      return;
    }
    const client = await createClient({ url: redis.url }).connect();
    const prefix = `${randomUUID()}:`;
    await benchStampede("Redis, 4 machines", redisBackend({ client, prefix }), database, [
      "redis",
      redis.url,
      prefix,
    ]);
    client.destroy();
    await redis.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
