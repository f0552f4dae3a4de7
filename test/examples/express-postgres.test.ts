import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, failures, startAuthServer } from "../../src/testing/index.js";
import { type Database, openPool, startPostgres } from "../support/databases.js";
import { outcomeOf, runExample } from "../support/examples.js";
import { ended } from "../support/login.js";

/** The service, in two instances that share one PostgreSQL. */

let database: Database;
beforeAll(async () => {
  database = await startPostgres();
});
afterAll(() => database.stop());

async function world() {
  const server = await startAuthServer({ deviceInterval: 0.1, tokenLatency: 20 });
  onTestFinished(() => server.close());
  const key = randomBytes(32).toString("base64");
  const env = { AUTH_HOST: server.host, DATABASE_URL: database.url, TOKEN_KEY: key, PORT: "0" };
  const services = [1, 2].map(() => runExample("express-postgres/service.ts", [], env));
  const ports = await Promise.all(
    services.map(async (service) => (await service.line((line) => /^listening/.test(line))).split(" ")[2]),
  );
  const pool = openPool(database.url);
  onTestFinished(() => pool.end());
  const store = new TokenStore({
    backend: postgresBackend({ pool, table: "oidc_tokens" }),
    encryptionKey: key,
  });
  /** Asks one of the instances, in a user's name. */
  const ask = async (instance: 0 | 1, user: string, path: string, method = "GET") => {
    const headers = user === "" ? {} : { "x-user": user };
    const answer = await fetch(`http://127.0.0.1:${ports[instance]}${path}`, { method, headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  /** What a user does: asks to be connected, and enters the code. */
  const connect = async (instance: 0 | 1, user: string, deny = false) => {
    const { status, body } = await ask(instance, user, "/connect", "POST");
    expect([status, body]).toEqual([202, { link: expect.any(String), userCode: expect.any(String) }]);
    await approveDevice(String(body["link"]), { name: `${user}-there`, deny });
  };
  const connected = (instance: 0 | 1, user: string) =>
    expect.poll(async () => (await ask(instance, user, "/connection")).body, { timeout: 10_000 });
  const expire = async (user: string) => {
    const token = await store.get(server.host, { account: user });
    if (!token) throw new Error(`${user} is not connected.`);
    await store.put(server.host, ended(token), { account: user });
  };
  return { server, services, pool, ask, connect, connected, expire };
}

describe("express-postgres", () => {
  it("each user connects once, at any instance, and is called for by all; one renewal serves them all", async () => {
    const { server, services, pool, ask, connect, connected, expire } = await world();
    expect(await ask(0, "ann", "/profile")).toEqual({
      status: 409,
      body: { error: "not_connected", message: "Connect your account: POST /connect" },
    });
    await Promise.all([connect(0, "ann"), connect(1, "bob")]);
    await connected(1, "ann").toEqual({ connected: true });
    await connected(0, "bob").toEqual({ connected: true });
    for (const instance of [0, 1] as const)
      for (const user of ["ann", "bob"])
        expect((await ask(instance, user, "/profile")).body).toMatchObject({ username: `${user}-there` });

    await expire("ann");
    const both = Array.from({ length: 20 }, (_, n) => ask(n % 2 === 0 ? 0 : 1, "ann", "/profile"));
    const answers = await Promise.all(both);
    expect(new Set(answers.map(({ status, body }) => `${status} ${body["username"]}`))).toEqual(
      new Set(["200 ann-there"]),
    );
    expect(server.counts).toMatchObject({ device: 2, "token:refresh": 1, refreshes: 1 });

    // Sealed: the database alone is of no use.
    const { rows } = await pool.query("SELECT * FROM oidc_tokens");
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain("access_token");

    expect((await ask(1, "bob", "/connection", "DELETE")).body).toMatchObject({ removed: true });
    expect((await ask(0, "bob", "/profile")).status).toBe(409);
    expect((await ask(0, "ann", "/profile")).status).toBe(200);
    for (const service of services) service.process.kill("SIGTERM");
    for (const service of services) expect(await outcomeOf(service)).toMatchObject({ code: 0, err: "" });
  });

  it("tells what is wrong: nobody signed in, a user who said no, a server in trouble", async () => {
    const { server, services, ask, connect, connected, expire } = await world();
    expect(await ask(0, "", "/profile")).toEqual({ status: 401, body: { error: "login_required" } });
    await connect(0, "cleo", true);
    await services[0]?.error((line) => /^cleo: .*denied/i.test(line));
    expect((await ask(1, "cleo", "/connection")).body).toEqual({ connected: false });

    await connect(1, "cleo");
    await connected(0, "cleo").toEqual({ connected: true });
    await expire("cleo");
    server.fail("token", failures.connectionReset, 1, "refresh");
    expect(await ask(0, "cleo", "/profile")).toEqual({ status: 503, body: { error: "network_error" } });
    expect((await ask(0, "cleo", "/profile")).status).toBe(200);

    // A login that nobody finishes does not keep a service from stopping.
    await ask(0, "dan", "/connect", "POST");
    services[0]?.process.kill("SIGTERM");
    expect(await services[0]?.ended()).toEqual({ code: 0, signal: null });
  });
});
