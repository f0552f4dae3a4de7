// Ends while it holds the lock of a login, in the way that it is told: as a program may that uses the library.
import { Token, TokenStore } from "../../../dist/index.js";

const [path, how] = process.argv.slice(2);
const store = new TokenStore({ path });
await store.update("https://auth.example.org", async () => {
  process.stdout.write("inside\n");
  if (how === "exit") process.exit(7);
  if (how === "uncaught") {
    setImmediate(() => {
      throw new Error("A fault of the program.");
    });
  }
  if (how === "rejected") void Promise.reject(new Error("A fault of the program."));
  if (how === "abort") process.abort();
  await new Promise((resolve) => setTimeout(resolve, 1_000_000));
  return new Token({ accessToken: "never", expiresAt: 4e9 });
});
