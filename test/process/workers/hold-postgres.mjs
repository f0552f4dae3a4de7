// Holds the lock of a login in PostgreSQL until it is killed.
import { TokenStore } from "../../../dist/index.js";
import { postgresBackend } from "../../../dist/store/postgres-backend.js";

const [url, table] = process.argv.slice(2);
const store = new TokenStore({ backend: postgresBackend({ url, table }) });
await store.update("https://auth.example.org", async () => {
  process.stdout.write("inside\n");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
