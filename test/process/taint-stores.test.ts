import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { createCA, createCert } from "mkcert";
import pg from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { Config } from "../../src/config.js";
import { clientCredentials, signedJwt, tokenExchange } from "../../src/credentials/grants.js";
import { fromCallback, fromGitHubActions } from "../../src/credentials/workload.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { tokenProvider } from "../../src/fetch/token-provider.js";
import { CodeFlow } from "../../src/flows/code-flow.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import { mcpAuthProvider } from "../../src/mcp/index.js";
import type { TokenStoreBackend } from "../../src/store/backend.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { postgresBackend } from "../../src/store/postgres-backend.js";
import { redisBackend } from "../../src/store/redis-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { type Database, freePort, startPostgres, startRedis } from "../support/databases.js";
import { heard } from "../support/sinks.js";
import { filesBelow, Taint } from "../support/taint.js";
import { programWorld, runProgram, worker } from "../support/tainted-program.js";
import { startTaintedServer } from "../support/tainted-server.js";
import { tempFolder } from "../support/temp-folder.js";

const HOST = "https://auth.example.org";

const tokenOf = (taint: Taint) =>
  new Token({
    accessToken: taint.token("access token"),
    refreshToken: taint.token("refresh token"),
    expiresAt: 9e9,
  });

/** What comes out of a use of a store that fails; the failure itself is an AuthError of one of two codes. */
async function failure(taint: Taint, backend: TokenStoreBackend, use = put): Promise<string> {
  const { error, ...told } = await heard(() => use(new TokenStore({ backend }), taint));
  expect(error).toMatchObject({ name: "AuthError", code: expect.stringMatching(/^store_un/) });
  expect(taint.leaks({ error, ...told })).toEqual([]);
  return String(error);
}

const put = async (store: TokenStore, taint: Taint): Promise<unknown> => store.put(HOST, tokenOf(taint));
const get = async (store: TokenStore): Promise<unknown> => store.get(HOST);

describe("PostgreSQL says nothing of what it holds", () => {
  let database: Database;
  let admin: pg.Pool;
  beforeAll(async () => {
    database = await startPostgres();
    admin = new pg.Pool({ connectionString: database.url, max: 2 });
    admin.on("error", () => {});
  });
  afterAll(async () => {
    await admin?.end();
    await database?.stop();
  });

  /** An address with a marked password, right or wrong. */
  async function address(taint: Taint, change: (url: URL) => void = () => {}): Promise<string> {
    const url = new URL(database.url);
    url.password = encodeURIComponent(taint.make("password"));
    change(url);
    return url.href;
  }

  it("with another password", async () => {
    const taint = new Taint();
    expect(await failure(taint, postgresBackend({ url: await address(taint) }))).toContain("password");
  });

  it("where nobody answers", async () => {
    const [taint, port] = [new Taint(), String(await freePort())];
    const url = await address(taint, (one) => {
      one.port = port;
    });
    expect(await failure(taint, postgresBackend({ url }))).toContain("ECONNREFUSED");
  });

  it("with an address that is none", async () => {
    const taint = new Taint();
    const url = `postgres://user:${taint.make("password")}@host:port/database`;
    await failure(taint, postgresBackend({ url }));
  });

  it.each([
    ["a check that refuses the row", "CHECK (length(entry) < 10)", ""],
    [
      "a trigger that quotes it",
      "",
      "CREATE FUNCTION quote_it() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no: %', NEW.entry; END $$ LANGUAGE plpgsql; CREATE TRIGGER quoting BEFORE INSERT ON quoting FOR EACH ROW EXECUTE FUNCTION quote_it()",
    ],
    ["a column that is too short", "", "ALTER TABLE short ALTER COLUMN entry TYPE varchar(5)"],
  ])("with %s", async (_what, check, more) => {
    const table = more.includes("quoting") ? "quoting" : more.includes("short") ? "short" : "checked";
    await admin.query(`CREATE TABLE ${table} (key text PRIMARY KEY, entry text NOT NULL ${check})`);
    if (more) await admin.query(more);
    await failure(new Taint(), postgresBackend({ url: database.url, table }));
  });

  it("with an entry that is cut off", async () => {
    const taint = new Taint();
    const backend = postgresBackend({ url: database.url, table: "cut" });
    await put(new TokenStore({ backend }), taint);
    await admin.query("UPDATE cut SET entry = substr(entry, 1, 80)");
    expect(await failure(taint, backend, get)).toContain("is damaged");
  });
});

describe("Redis says nothing of what it holds", async () => {
  const database = await startRedis();
  afterAll(async () => database?.stop());
  const clients = {
    redis: async (url: string) => {
      const client = createClient({ url, socket: { reconnectStrategy: false } });
      client.on("error", () => {});
      await client.connect();
      return { client, end: () => client.destroy() };
    },
    ioredis: async (url: string) => {
      const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
      client.on("error", () => {});
      return { client, end: () => client.disconnect() };
    },
  };

  describe.skipIf(!database).each(Object.entries(clients))("with the package %s", (name, connect) => {
    /** A backend of its own keys, whose server wants a marked password. */
    async function world() {
      const taint = new Taint();
      const password = taint.make("password");
      const admin = createClient({ url: database?.url ?? "" });
      await admin.connect();
      await admin.sendCommand(["CONFIG", "SET", "requirepass", password]);
      const url = new URL(database?.url ?? "");
      url.password = encodeURIComponent(password);
      const prefix = `${name}${randomBytes(6).toString("hex")}:`;
      const { client, end } = await connect(url.href);
      const command = (...words: string[]) => admin.sendCommand(words);
      const close = async () => {
        await command("CONFIG", "SET", "requirepass", "");
        admin.destroy();
        end();
      };
      return {
        taint,
        backend: redisBackend({ client, prefix }),
        key: `${prefix}{${HOST}}`,
        command,
        end,
        close,
      };
    }

    it("that is full", async () => {
      const { taint, backend, command, close } = await world();
      await command("CONFIG", "SET", "maxmemory", "1");
      expect(await failure(taint, backend)).toContain("OOM");
      await command("CONFIG", "SET", "maxmemory", "0");
      await close();
    });

    it("whose key is something else", async () => {
      const { taint, backend, key, command, close } = await world();
      await command("LPUSH", key, taint.token("access token"));
      expect(await failure(taint, backend, get)).toContain("WRONGTYPE");
      await close();
    });

    it("whose entry is cut off", async () => {
      const { taint, backend, key, command, close } = await world();
      await command("SET", key, `{"token": {"access_token": "${taint.token("access token")}`);
      expect(await failure(taint, backend, get)).toContain("is damaged");
      await close();
    });

    it("that has gone", async () => {
      const { taint, backend, end, close } = await world();
      end();
      await failure(taint, backend);
      await close();
    });

    it("that does not permit the command", async () => {
      const { taint, backend, command, close } = await world();
      await command("ACL", "SETUSER", "default", "-set");
      expect(await failure(taint, backend)).toContain("NOPERM");
      await command("ACL", "SETUSER", "default", "+set");
      await close();
    });
  });
});

describe("a sealed store", () => {
  it("shows neither key nor token: right, wrong, or moved", async () => {
    const [taint, folder] = [new Taint(), tempFolder()];
    const [key, other] = [randomBytes(32), randomBytes(32)];
    for (const one of [key, other]) taint.bytes("encryption key", one);
    const path = join(folder, "store.json");
    const env = { KEY: taint.add("encryption key", key.toString("base64")) };
    const places = await heard(async () => {
      await put(new TokenStore({ path, encryptionKey: { env: "KEY" }, env }), taint);
      await new TokenStore({ path, encryptionKey: other }).get(HOST);
    });
    expect(places["error"]).toMatchObject({ code: "store_unreadable" });
    const wrong = await heard(
      async () =>
        new TokenStore({ path, encryptionKey: { env: "SHORT" }, env: { SHORT: env.KEY.slice(0, 30) } }),
    );
    expect(wrong["error"]).toMatchObject({ code: "invalid_config" });
    expect(taint.leaks({ ...places, wrong, files: filesBelow(folder) })).toEqual([]);
  });

  it("is of no use to who reads the file; a plain one holds the token, and is closed", async () => {
    const [taint, folder] = [new Taint(), tempFolder()];
    const path = join(folder, "store.json");
    await put(new TokenStore({ path }), taint);
    expect(taint.leaks({ files: filesBelow(folder) }).map(({ secret }) => secret)).toContain("access token");
  });
});

describe("the helper that asks the keychain", () => {
  it("bears no secret in its words and its environment, and half an answer of it is not quoted", async () => {
    const world = await programWorld();
    const { taint, home, env, stores } = world;
    const preload = join(home, "half.cjs");
    // The helper as it is, but for its last words: as if it had been killed while it printed the key.
    const words = JSON.stringify(`{"value":"${taint.make("encryption key", "-")}`);
    writeFileSync(
      preload,
      `if (process.argv[1]?.endsWith("keychain-process.js")) { process.stdout.write(${words}); process.exit(); }`,
    );
    stores.push(preload);
    env["NODE_OPTIONS"] += ` --require ${preload}`;
    const program = worker("keychain.mjs");
    const ran = await runProgram(world, [join(home, "sealed.json")], { program });
    expect(JSON.parse(ran.stdout)).toMatchObject({ code: "store_unavailable" });
    expect(taint.leaks({ stdout: ran.stdout, ...ran.told })).toEqual([]);
    const helpers = ran.told["words of other processes"] as string[][];
    expect(helpers.map((one) => one.slice(2))).toContainEqual(["get", "oidc-auth-client"]);
  });
});

describe("objects", () => {
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });

  function config(taint: Taint): Config {
    return new Config({
      issuer: "https://login.example.org",
      clientId: "cli",
      clientSecret: taint.make("client secret"),
      privateKey: taint.add("private key", String(pem)),
      decryptionKey: { kty: "EC", d: taint.make("decryption key") },
      initialAccessToken: taint.token("initial access token"),
      credentials: tokenExchange({ subjectToken: taint.token("subject token") }),
    });
  }

  it("show no secret, however they are printed, copied or serialised", async () => {
    const taint = new Taint();
    const one = config(taint);
    const key = randomBytes(32);
    taint.bytes("encryption key", key);
    const store = new TokenStore({ path: join(tempFolder(), "s.json"), encryptionKey: key });
    const memory = memoryBackend();
    await put(new TokenStore({ backend: memory }), taint);
    const network = {
      proxy: `http://user:${encodeURIComponent(taint.make("proxy password"))}@proxy.example.org`,
    };
    const url = `postgres://user:${encodeURIComponent(taint.make("password"))}@db.example.org/x`;
    const options = { store: new TokenStore({ backend: memory }), network, env: {} };
    const objects = {
      config: one,
      "a copy": { ...one },
      "a clone": structuredClone(one),
      store,
      memory,
      postgres: postgresBackend({ url }),
      codeFlow: new CodeFlow(one, options),
      deviceFlow: new DeviceFlow(one, options),
      fetch: createAuthFetch(one, options),
      provider: tokenProvider(one, options),
      mcp: mcpAuthProvider(
        {
          resource: "https://api.example.org",
          issuer: "https://login.example.org",
          clientId: "cli",
          clientSecret: taint.make("client secret"),
        },
        options,
      ),
      credentials: clientCredentials(),
      assertion: signedJwt({ issuer: "me", privateKey: String(pem) }),
    };
    expect(one.settings).toMatchObject({ clientSecret: taint.named("client secret")[0] });
    expect(taint.leaks(objects)).toEqual([]);
  });

  it("that are made to hold a secret show it in JSON, and nowhere else", async () => {
    const taint = new Taint();
    const server = await startTaintedServer(taint);
    const token = tokenOf(taint);
    const code = await new DeviceFlow({ issuer: server.url, clientId: "cli" }, { env: {} }).getDeviceCode();
    const json = { token: JSON.stringify(token), code: JSON.stringify(code) };
    expect(taint.leaks(json).map(({ place }) => place)).toEqual(expect.arrayContaining(["token", "code"]));
    const shown = [token, code, { deep: [token, code] }, new Error("x", { cause: token })];
    expect(taint.leaks({ shown: shown.map((one) => inspect(one, { showHidden: true, depth: 10 })) })).toEqual(
      [],
    );
  });
});

describe("what others throw is not passed on as it is", () => {
  const fails = async (taint: Taint, run: () => Promise<unknown>, code: string) => {
    const places = await heard(run);
    expect(places["error"]).toMatchObject({ name: "AuthError", code });
    expect(taint.leaks(places)).toEqual([]);
  };

  it("by a function that fetches a token", async () => {
    const taint = new Taint();
    const credentials = fromCallback(() => {
      throw Object.assign(new Error(`this one is bad: ${taint.token("subject token")}`), {
        token: taint.token("subject token"),
      });
    });
    const target = { issuer: "https://login.example.org", clientId: "cli", credentials };
    await fails(taint, () => authenticate(target, options()), "credentials_unavailable");
  });

  it("by a fetch of the caller's own, which keeps the request in its errors", async () => {
    const taint = new Taint();
    const fetch = async (...[input, init]: Parameters<typeof globalThis.fetch>): Promise<Response> => {
      const config = { url: String(input), headers: [...new Headers(init?.headers)], data: init?.body };
      throw Object.assign(new Error(`Request failed: ${JSON.stringify(config)}`, { cause: config }), {
        config,
        code: `E ${init?.body}`,
      });
    };
    const clientSecret = taint.make("client secret");
    const endpoints = { token: "https://login.example.org/token" };
    const target = {
      issuer: "https://login.example.org",
      clientId: "cli",
      clientSecret,
      endpoints,
      clientAuthMethod: "client_secret_post" as const,
      credentials: clientCredentials(),
    };
    await fails(taint, () => authenticate(target, { ...options(), fetch }), "network_error");
  });

  it("by the platform, of a token that no header can carry", async () => {
    const taint = new Taint();
    const bearer = `${taint.token("request token")}\n${taint.token("request token")}`;
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://github.example.org/x",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
    };
    const target = {
      issuer: "https://login.example.org",
      clientId: "cli",
      credentials: fromGitHubActions(),
      endpoints: { token: "https://login.example.org/token" },
    };
    await fails(
      taint,
      () => authenticate(target, { ...options(), env: { ...options().env, ...env } }),
      "invalid_config",
    );
  });

  it("by the platform, of a registration's token that no header can carry", async () => {
    const taint = new Taint();
    const server = await startTaintedServer(taint);
    const initialAccessToken = `${taint.make("initial access token")}\n${taint.make("initial access token")}`;
    const target = { issuer: server.url, initialAccessToken };
    await fails(
      taint,
      () => authenticate(target, { ...options(), interactive: true, flow: "code" }),
      "invalid_response",
    );
  });

  it("by the platform, of an address with a password", async () => {
    const taint = new Taint();
    const password = encodeURIComponent(taint.make("password"));
    const endpoints = { token: `https://user:${password}@login.example.org/token` };
    const target = {
      issuer: "https://login.example.org",
      clientId: "cli",
      clientSecret: "x",
      endpoints,
      credentials: clientCredentials(),
    };
    await fails(taint, () => authenticate(target, options()), "network_error");
  });

  it("by TLS, of a key's passphrase", async () => {
    const [taint, folder] = [new Taint(), tempFolder()];
    const right = taint.make("passphrase");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ca = await createCA({
      organization: "x",
      countryCode: "DE",
      state: "x",
      locality: "x",
      validity: 1,
    });
    const { cert } = await createCert({ ca, domains: ["localhost"], validity: 1 });
    const paths = { certFile: join(folder, "c.pem"), keyFile: join(folder, "k.pem") };
    writeFileSync(paths.certFile, cert);
    writeFileSync(
      paths.keyFile,
      privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: right }),
    );
    expect(readFileSync(paths.keyFile, "utf8")).toContain("ENCRYPTED");
    const network = { ...paths, passphrase: taint.make("passphrase") };
    const target = {
      issuer: `https://127.0.0.1:${await freePort()}`,
      clientId: "cli",
      credentials: clientCredentials(),
      clientSecret: "x",
    };
    await fails(taint, () => authenticate(target, { ...options(), network }), "network_error");
  });

  const options = () => ({
    store: new TokenStore({ backend: memoryBackend() }),
    env: { OIDC_AUTH_DEBUG: "1" },
    sleep: async () => {},
  });
});
