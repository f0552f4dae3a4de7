// Puts logins one after the other and says so after each: `acknowledged N` means that N is durable.
import { Token, TokenStore } from "../../../dist/index.js";

const [path, name, count = "1000000"] = process.argv.slice(2);
const store = new TokenStore({ path });
for (let n = 0; n < Number(count); n++) {
  await store.put(
    `https://${name}-${n % 20}.example.org`,
    new Token({ accessToken: `${n}`, expiresAt: 4e9 }),
  );
  process.stdout.write(`acknowledged ${n}\n`);
}
