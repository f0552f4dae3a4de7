import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { startPostgres } from "../support/databases.js";

/** A way to a server that can be made to swallow everything, as a network does that has lost a machine. */
async function wayTo(url: string): Promise<{ url: string; goSilent(): void }> {
  const [there, here] = [new URL(url), new URL(url)];
  let silent = false;
  const way = createServer((client) => {
    const server = connect(Number(there.port), there.hostname);
    client.on("data", (bytes) => silent || server.write(bytes)).on("error", () => {});
    server.on("data", (bytes) => silent || client.write(bytes)).on("error", () => {});
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => way.listen(0, here.hostname, resolve));
  here.port = String((way.address() as AddressInfo).port);
  onTestFinished(() => void way.close());
  return {
    url: here.href,
    goSilent: () => {
      silent = true;
    },
  };
}

it("PostgreSQL that falls silent is store_unavailable after the longest time that one waits", async () => {
  const database = await startPostgres();
  onTestFinished(() => database.stop());
  const way = await wayTo(database.url);
  const backend = postgresBackend({ url: way.url, waitMs: 3000, staleMs: 3000 });
  await backend.set("k", { token: { access_token: "a" } });
  way.goSilent();
  await expect(backend.get("k")).rejects.toMatchObject({ code: "store_unavailable" });
});
