// One process of the soak: asks for tokens of random logins over and over, and tells its parent what came of it.
import { readdirSync } from "node:fs";
import { authenticate, Token, TokenStore } from "../../dist/index.js";

const { name, path, logins, putEveryMs, sampleEveryMs } = JSON.parse(process.argv[2]);
const store = new TokenStore({ path });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = (ms) => performance.now() + ms * (0.5 + Math.random());
// So that the gate knows who asks.
let requests = 0;
const fetch = (input, init) => {
  requests++;
  const headers = new Headers(init?.headers);
  headers.set("x-soak-worker", name);
  return globalThis.fetch(input, { ...init, headers });
};

// Whoever started us is gone.
process.on("disconnect", () => process.exit());

let calls = 0;
let nextPut = until(putEveryMs);
let nextSample = until(sampleEveryMs);
for (;;) {
  const { login, host, account } = logins[Math.floor(Math.random() * logins.length)];
  const began = Date.now();
  try {
    const token = await authenticate(host, { store, account, interactive: false, fetch, env: {} });
    calls++;
    if (token.expiresAt * 1000 <= began)
      process.send({ failed: { login, code: "ended", message: "the token had ended", began } });
  } catch (error) {
    process.send({ failed: { login, code: error.code ?? "unknown", message: String(error.message), began } });
  }
  if (performance.now() > nextPut) {
    // What other programs do with the same file meanwhile.
    await store.put(`https://${name}.example.org`, new Token({ accessToken: "a", expiresAt: 4e9 }));
    nextPut = until(putEveryMs);
  }
  if (performance.now() > nextSample) {
    globalThis.gc();
    process.send({
      calls,
      sample: {
        heap: process.memoryUsage().heapUsed,
        rss: process.memoryUsage.rss(),
        handles: process.getActiveResourcesInfo().length,
        files: process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0,
        requests,
      },
    });
    calls = 0;
    nextSample = until(sampleEveryMs);
  }
  await pause(30 + Math.random() * 150);
}
