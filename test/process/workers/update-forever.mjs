// Changes one login under its lock, as a refresh does, and says so after each: `acknowledged N`.
import { Token, TokenStore } from "../../../dist/index.js";

const [path] = process.argv.slice(2);
const store = new TokenStore({ path });
for (;;) {
  const token = await store.update("https://auth.example.org", async (current) => {
    await new Promise((resolve) => setImmediate(resolve));
    return new Token({ accessToken: `${Number(current?.accessToken ?? -1) + 1}`, expiresAt: 4e9 });
  });
  process.stdout.write(`acknowledged ${token.accessToken}\n`);
}
