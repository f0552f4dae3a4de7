// Says that it is ready, waits for a line on standard input, authenticates at an issuer, and prints the token's headers.
import { once } from "node:events";
import { authenticate, clientCredentials, fromFile, TokenStore } from "../../../dist/index.js";

const [target, path, credentials, file] = process.argv.slice(2);
const WAYS = { none: () => undefined, client: () => clientCredentials(), file: () => fromFile(file) };
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
try {
  const token = await authenticate(
    { ...JSON.parse(target), credentials: WAYS[credentials]() },
    { store: new TokenStore({ path }), interactive: false },
  );
  process.stdout.write(`token ${token.headers.Authorization}\n`);
} catch (error) {
  process.stdout.write(`failed ${error.code}: ${error.message}\n`);
}
