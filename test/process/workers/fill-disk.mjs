// Renews a login on a disk that is filled up meanwhile, to its last byte.
import { appendFileSync, readdirSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { Token, TokenStore } from "../../../dist/index.js";

const [path, host] = process.argv.slice(2);
const folder = dirname(path);
const say = (text) => writeSync(1, `${text}\n`);
const store = new TokenStore({ path });

function fill(size) {
  try {
    for (;;) appendFileSync(join(folder, "full"), Buffer.alloc(size));
  } catch (error) {
    if (error.code !== "ENOSPC") throw error;
  }
}

try {
  await store.update(host, async () => {
    for (const size of [65_536, 4096, 256, 16, 1]) fill(size);
    say("the disk is full");
    return new Token({ accessToken: "new", refreshToken: "new-r", expiresAt: 4_000_000_000 });
  });
  say(`stored ${(await store.get(host))?.refreshToken}`);
  say(`left ${readdirSync(folder).join(", ")}`);
} catch (error) {
  say(`failed ${error.code}: ${error.message}`);
}
