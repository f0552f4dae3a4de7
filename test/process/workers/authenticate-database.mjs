// As authenticate.mjs, with a store in a database: `postgres URL TABLE` or `redis URL PREFIX`.
import { once } from "node:events";
import { createClient } from "redis";
import { authenticate, TokenStore } from "../../../dist/index.js";
import { postgresBackend } from "../../../dist/store/postgres-backend.js";
import { redisBackend } from "../../../dist/store/redis-backend.js";

const [host, kind, url, place] = process.argv.slice(2);
const client = kind === "redis" ? await createClient({ url }).connect() : undefined;
const backend = client ? redisBackend({ client, prefix: place }) : postgresBackend({ url, table: place });
const store = new TokenStore({ backend });
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
try {
  const token = await authenticate(host, { store, interactive: false });
  process.stdout.write(`token ${token.headers.Authorization}\n`);
} catch (error) {
  process.stdout.write(`failed ${error.code}: ${error.message}\n`);
}
client?.destroy();
