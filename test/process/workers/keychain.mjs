// Puts a login into the keychain's store, reads it back with a second one, and prints what it saw.
import { Token, TokenStore } from "../../../dist/index.js";
import { keychainBackend } from "../../../dist/store/keychain-backend.js";

const [path, ...rest] = process.argv.slice(2);
const warnings = [];
const open = () =>
  keychainBackend({
    path,
    timeoutMs: rest.includes("quick") ? 500 : 5000,
    onWarning: (message) => warnings.push(message),
    ...(rest.includes("fallback") && { fallback: "file" }),
  });
try {
  const backends = await Promise.all([open(), open()]);
  const [one, two] = backends.map((backend) => new TokenStore({ backend }));
  const accessToken = "s3cret-".repeat(2000);
  await one.put("https://auth.example.org", new Token({ accessToken, expiresAt: 4e9 }));
  const read = await two.get("https://auth.example.org");
  console.log(JSON.stringify({ same: read.accessToken === accessToken, warnings }));
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
