// Runs the contract of all backends over the keychain's, and prints which promises were kept and which were not.
import { join } from "node:path";
import { keychainBackend } from "../../../dist/store/keychain-backend.js";
import { storeContract } from "../../../dist/testing/index.js";

const [folder] = process.argv.slice(2);
let places = 0;
const open = async () => {
  const path = join(folder, `contract-${++places}.json`);
  return Promise.all([keychainBackend({ path }), keychainBackend({ path })]);
};
const kept = [];
const broken = [];
for (const { name, run } of storeContract(open)) {
  await run().then(
    () => kept.push(name),
    (error) => broken.push(`${name}: ${error.message}`),
  );
}
console.log(JSON.stringify({ kept, broken }));
