// Holds the lock of a login until a line comes in, then stores a token of its own, and says what the store returned.
import { once } from "node:events";
import { Token, TokenStore } from "../../../dist/index.js";
import { fileBackend } from "../../../dist/store/file-backend.js";

const [path, staleMs] = process.argv.slice(2);
const lockTimes = { staleMs: Number(staleMs), waitMs: 20_000 };
const store = new TokenStore({ backend: fileBackend(path, { onWarning: () => {}, lockTimes }) });
const result = await store.update("https://auth.example.org", async () => {
  process.stdout.write("inside\n");
  await once(process.stdin, "data");
  return new Token({ accessToken: "stale", expiresAt: 4e9 });
});
process.stdin.destroy();
process.stdout.write(`returned ${result.accessToken}\n`);
