// Says that it is ready, waits for a line on standard input, authenticates, and prints the token's headers.
import { once } from "node:events";
import { authenticate, TokenStore } from "../../../dist/index.js";

const [host, path] = process.argv.slice(2);
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
try {
  const token = await authenticate(host, { store: new TokenStore({ path }), interactive: false });
  process.stdout.write(`token ${token.headers.Authorization}\n`);
} catch (error) {
  process.stdout.write(`failed ${error.code}: ${error.message}\n`);
}
