import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { command as status } from "../../src/cli/commands/status.js";
import { list } from "../../src/cli/commands/stores.js";
import { fastToken } from "../../src/cli/fast-token.js";
import type { CliIo } from "../../src/cli/io.js";
import { parseCommand } from "../../src/cli/parse.js";
import { TokenStore } from "../../src/store/token-store.js";
import { FAR_FUTURE, isRefreshable, isUsable, Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

/** What may stand in a store file: rows of the table "What a file may be, and what happens" of docs/stores.md. */

const NOW = 1_900_000_000_000;
const SECONDS = NOW / 1000;
const HOST = "https://auth.example.org";

const token = (accessToken: string) => new Token({ accessToken, refreshToken: "r", expiresAt: 4e9 });
const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));

function made(content: string | Buffer | object): { path: string; store: TokenStore; warnings: string[] } {
  const path = join(tempFolder(), "store.json");
  const bytes = typeof content === "string" || content instanceof Buffer ? content : JSON.stringify(content);
  writeFileSync(path, bytes, { mode: 0o600 });
  return { path, ...open(path) };
}

function open(path: string): { store: TokenStore; warnings: string[] } {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  return { store: new TokenStore({ path, now: () => NOW, onWarning }), warnings };
}

const entry = (members: object = {}, around: object = {}) => ({
  token: { access_token: "old", expires: 4e9, refresh_token: "r", ...members },
  ...around,
});

afterEach(() => {
  // Whatever stood in a file: nothing of it may have become a property of all objects.
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)["token"]).toBeUndefined();
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

describe("an encoding", () => {
  const text = JSON.stringify({ [HOST]: entry(), note: "ä ✓ 𝄞" });

  it.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16, as PowerShell's > writes it", Buffer.from(`\ufeff${text}`, "utf16le")],
  ])("is understood, and becomes UTF-8 when it is written: %s", async (_name, bytes) => {
    const { path, store, warnings } = made(bytes);
    expect((await store.get(HOST))?.accessToken).toBe("old");
    await store.put(HOST, token("new"));
    expect(read(path)).toMatchObject({ note: "ä ✓ 𝄞" });
    expect(warnings).toEqual([]);
  });

  it.each([
    ["Latin-1", Buffer.from(text.replace("✓ 𝄞", ""), "latin1")],
    [
      "a text that is cut off in a character",
      Buffer.from(text).subarray(0, Buffer.from(text).indexOf("✓") + 1),
    ],
    ["zeros, as after a crash of the machine", Buffer.alloc(4096)],
    ["a text with a zero in it", Buffer.from(text.replace("note", "no\0te"))],
  ])("that is none is kept aside, to the last byte: %s", async (_name, bytes) => {
    const { path, store, warnings } = made(bytes);
    expect(await store.get(HOST)).toBeUndefined();
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
    await store.put(HOST, token("new"));
    const aside = readdirSync(dirname(path)).find((name) => name.includes(".corrupt-")) ?? "";
    expect(readFileSync(join(dirname(path), aside)).equals(bytes)).toBe(true);
    expect(warnings).toEqual([
      expect.stringContaining("is not valid JSON. It is left as it is"),
      expect.stringContaining(aside),
    ]);
    expect(read(path)[HOST].token.access_token).toBe("new");
  });

  it("that is none stays in its place as long as nothing is stored", async () => {
    const { path, store } = made("{ not json");
    await store.backend.assertWritable();
    await store.update(HOST, async (current) => current);
    expect(await store.remove(HOST)).toBe(false);
    await store.clear();
    expect(readFileSync(path, "utf8")).toBe("{ not json");
  });

  it("a character that stands for another one is no damage", async () => {
    const { path, store } = made({ [HOST]: entry(), note: "\ufffd" });
    await store.put(HOST, token("new"));
    expect(read(path).note).toBe("\ufffd");
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

describe("a size", () => {
  it("beyond 64 MB is store_unreadable, before anything is read", async () => {
    const { path, store } = made("");
    const { truncateSync } = await import("node:fs");
    // A file of a terabyte, on a disk that holds less.
    truncateSync(path, 2 ** 40);
    const error = { code: "store_unreadable", message: expect.stringContaining("larger than 65536 kB") };
    await expect(store.get(HOST)).rejects.toMatchObject(error);
    await expect(store.backend.set(HOST, entry())).rejects.toMatchObject(error);
    expect(fastToken(["token", HOST, "--store", path], {})).toBeUndefined();
  });

  it("of 100,000 logins, written by hand or not, is a store like any", { timeout: 60_000 }, async () => {
    const hosts = Array.from({ length: 100_000 }, (_, n) =>
      n % 2 ? `https://h${n}.example.org` : `HTTPS://H${n}.example.org/`,
    );
    const { path, store } = made(Object.fromEntries(hosts.map((host) => [host, entry()])));
    expect((await store.get("https://h99998.example.org"))?.accessToken).toBe("old");
    expect(await store.get(HOST)).toBeUndefined();
    await store.put(HOST, token("new"));
    expect(await store.remove("https://h0.example.org")).toBe(true);
    const after = read(path);
    expect(Object.keys(after)).toHaveLength(100_000);
    expect(after[HOST].token.access_token).toBe("new");
  });
});

describe("a depth of 100,000 levels", () => {
  const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  it.each([
    ["beside the entries", `{"deep": ${DEEP}, "${HOST}": ${JSON.stringify(entry())}}`],
    ["in an entry", `{"${HOST}": ${JSON.stringify(entry()).slice(0, -1)}, "deep": ${DEEP}}}`],
    ["in a token", `{"${HOST}": {"token": {"access_token": "old", "expires": 4e9, "deep": ${DEEP}}}}`],
    ["in one bare token", `{"access_token": "old", "expires": 4e9, "deep": ${DEEP}}`],
  ])("is read, changed and kept: %s", async (_name, text) => {
    const { path, store } = made(text);
    expect((await store.get(HOST))?.accessToken).toBe("old");
    expect((await store.update(HOST, async () => token("new")))?.accessToken).toBe("new");
    expect(readFileSync(path, "utf8")).toContain(`"deep": ${DEEP}`);
    expect((await open(path).store.get(HOST))?.accessToken).toBe("new");
    expect(await open(path).store.remove(HOST)).toBe(true);
  });

  it("in place of an entry is none, and stays", async () => {
    const { path, store } = made(`{"${HOST}": ${DEEP}, "https://other.example.org": {"token": ${DEEP}}}`);
    expect(await store.get(HOST)).toBeUndefined();
    expect(await store.hosts()).toEqual([]);
    await store.put("https://new.example.org", token("new"));
    expect(readFileSync(path, "utf8")).toContain(`"${HOST}": ${DEEP}`);
    await store.put(HOST, token("new"));
    expect((await store.get(HOST))?.accessToken).toBe("new");
  });
});

describe("names that objects have", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];
  const members = NAMES.map(
    (name) => `"${name}": {"polluted": true, "token": {"access_token": "x", "expires": 4e9}}`,
  );

  it.each([
    ["as keys of the file", (more: string) => `{${more}, "${HOST}": ${JSON.stringify(entry())}}`],
    [
      "in an entry",
      (more: string) => `{"${HOST}": {${more}, "token": {"access_token": "old", "expires": 4e9}}}`,
    ],
    [
      "in a token",
      (more: string) => `{"${HOST}": {"token": {${more}, "access_token": "old", "expires": 4e9}}}`,
    ],
    ["in one bare token", (more: string) => `{${more}, "access_token": "old", "expires": 4e9}`],
  ])("are data, and kept: %s", async (_name, textWith) => {
    const { path, store } = made(textWith(members.join(", ")));
    expect((await store.get(HOST))?.accessToken).toBe("old");
    await store.put(HOST, token("new"));
    const text = readFileSync(path, "utf8");
    for (const member of members) expect(text).toContain(member);
    expect((await open(path).store.get(HOST))?.accessToken).toBe("new");
  });

  it("are nobody's login, and no profile", async () => {
    const { path, store } = made({ [HOST]: entry() });
    for (const name of NAMES.filter((one) => one !== "__proto__")) {
      expect(await store.get(name)).toBeUndefined();
      expect(fastToken(["token", name, "--store", path], { HOME: dirname(path) })).toBeUndefined();
    }
    expect(await store.backend.get("__proto__")).toBeUndefined();
  });

  it("alone in a file are no entries", async () => {
    const { store } = made(`{"__proto__": {"${HOST}": ${JSON.stringify(entry())}}}`);
    expect(await store.get(HOST)).toBeUndefined();
    const { store: nested } = made(
      `{"${HOST}": {"__proto__": {"token": {"access_token": "x", "expires": 4e9}}}}`,
    );
    expect(await nested.get(HOST)).toBeUndefined();
    const { store: deeper } = made(
      `{"${HOST}": {"token": {"__proto__": {"access_token": "x"}, "expires": 4e9}}}`,
    );
    expect(await deeper.get(HOST)).toBeUndefined();
  });
});

describe("keys that mean the same server", () => {
  const BY_HAND = "HTTPS://Auth.Example.org:443/";
  const both = { [BY_HAND]: entry({ access_token: "by hand" }), [HOST]: entry({ access_token: "normal" }) };

  it("the one in its normal form counts, and the other is kept", async () => {
    const { path, store } = made(both);
    expect((await store.get(HOST))?.accessToken).toBe("normal");
    expect(fastToken(["token", HOST, "--store", path], {})).toBe("normal\n");
    await store.put(HOST, token("new"));
    expect(read(path)).toMatchObject({
      [BY_HAND]: both[BY_HAND],
      [HOST]: { token: { access_token: "new" } },
    });
  });

  it.each([
    [BY_HAND, HOST],
    ["auth.example.org", HOST],
    ["https://auth.example.org:443", HOST],
    ["https://auth.example.org/App/", `${HOST}/App`],
    ["HTTP://Localhost:8080", "http://localhost:8080"],
    ["Auth.example.org#work", `${HOST}#work`],
  ])(
    "%s alone is found for %s, and gets the form that all clients know when it is renewed",
    async (key, host) => {
      const { path, store } = made({
        before: 1,
        [key]: entry({ kept: "member" }, { note: "kept" }),
        after: 2,
      });
      expect((await store.get(host))?.accessToken).toBe("old");
      await store.update(host, async () => token("new"));
      const content = read(path);
      expect(content).toMatchObject({
        before: 1,
        after: 2,
        [host]: { note: "kept", token: { kept: "member" } },
      });
      expect(Object.keys(content)).toHaveLength(3);
      expect((await open(path).store.get(host))?.accessToken).toBe("new");
    },
  );

  it("are all forgotten at once: none comes to light when another goes", async () => {
    const { path, store } = made({ ...both, "auth.example.org": entry({ access_token: "third" }), note: 1 });
    expect(await store.hosts()).toHaveLength(3);
    expect(await store.remove(HOST)).toBe(true);
    expect(read(path)).toEqual({ note: 1 });
  });

  it("do not lead from one server to another below the same origin", async () => {
    const { store } = made({ "https://auth.example.org/one/": entry() });
    expect((await store.get(`${HOST}/one`))?.accessToken).toBe("old");
    expect(await store.get(`${HOST}/two`)).toBeUndefined();
    expect(await store.get(HOST)).toBeUndefined();
  });
});

describe("times", () => {
  const of = async (members: object, around: object = {}) =>
    (await made({ [HOST]: { token: { access_token: "a", ...members }, ...around } }).store.get(
      HOST,
    )) as Token;
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

  it.each([
    ["seconds", SECONDS + 500, SECONDS + 500],
    ["seconds in a string", `${SECONDS + 500}`, SECONDS + 500],
    ["milliseconds", (SECONDS + 500) * 1000, SECONDS + 500],
    ["milliseconds in a string", `${(SECONDS + 500) * 1000}`, SECONDS + 500],
    ["the end of the year 9999", FAR_FUTURE, FAR_FUTURE],
    ["a second later", FAR_FUTURE + 1, FAR_FUTURE],
    ["the same in milliseconds", FAR_FUTURE * 1000, FAR_FUTURE],
    ["1e300", 1e300, FAR_FUTURE],
  ])("%s are understood", async (_name, written, end) => {
    expect((await of({ expires: written, refresh_token: "r" })).expiresAt).toBe(end);
    expect((await of({ expires: 4e9, refresh_token: "r", refresh_expires: written })).refreshExpiresAt).toBe(
      end === FAR_FUTURE ? undefined : end,
    );
  });

  it.each([["soon"], [-1], [0], [null], [true], [{}], [[]], ["NaN"], ["Infinity"], [-1e300]])(
    "%j is none: the login is renewed where it can be, and never removed",
    async (written) => {
      const unknown = await of({ expires: written, refresh_token: "r" });
      expect(isUsable(unknown, NOW)).toBe(false);
      expect(isRefreshable(unknown, NOW)).toBe(true);
      const { path, store } = made({ [HOST]: { token: { access_token: "a", expires: written } } });
      expect(isUsable((await store.get(HOST)) as Token, NOW)).toBe(false);
      await store.put("https://other.example.org", token("new"));
      expect(read(path)[HOST].token.access_token).toBe("a");
    },
  );

  it("that a JWT states itself are taken where the file states none", async () => {
    const access = jwt({ exp: SECONDS + 500 });
    for (const members of [{}, { expires: null }, { expires: "?" }]) {
      expect((await of({ access_token: access, ...members })).expiresAt).toBe(SECONDS + 500);
    }
    expect((await of({ access_token: access, expires: SECONDS + 900 })).expiresAt).toBe(SECONDS + 900);
  });

  it.each([
    ["a day ahead", SECONDS + 86_400, false],
    ["in milliseconds", SECONDS * 1000, true],
    ["a minute ahead, as other machines' clocks are", SECONDS + 60, true],
    ["as a string", `${SECONDS}`, true],
    ["none", undefined, true],
    ["nonsense", "yesterday", true],
  ])("of storing: %s", async (_name, storedAt, usable) => {
    // Its lifetime was ten minutes, by a clock that may have been wrong.
    const expires =
      (typeof storedAt === "number" && storedAt > SECONDS && storedAt < 1e12 ? storedAt : SECONDS) + 600;
    const renewable = await of({ expires, refresh_token: "r" }, { stored_at: storedAt });
    expect(isUsable(renewable, NOW)).toBe(usable);
    expect(isRefreshable(renewable, NOW)).toBe(true);
    // What cannot be renewed is used for as long as its end says.
    expect(isUsable(await of({ expires }, { stored_at: storedAt }), NOW)).toBe(true);
  });

  it("of all kinds are shown, and break nothing", async () => {
    const ends = [1e300, -1e300, 0, "x", null, FAR_FUTURE, FAR_FUTURE * 1000, 8.64e12, 1, 4e9];
    const content = ends.map((end, n) => [
      `https://h${n}.example.org`,
      {
        token: { access_token: "a", expires: end, refresh_token: "r", refresh_expires: end },
        stored_at: end,
      },
    ]);
    const { path } = made(Object.fromEntries(content));
    for (const [command, argv] of [
      [status, []],
      [status, ["--json"]],
      [list, []],
    ] as const) {
      let output = "";
      const io: CliIo = {
        stdout: { write: (text) => (output += text) },
        stderr: { write: (text) => (output += text) },
        env: { OIDC_TOKEN_FILE: path },
        signal: new AbortController().signal,
      };
      await command.run(parseCommand(command, [...argv]), io);
      expect(output).toContain("https://h9.example.org");
      expect(output).not.toMatch(/NaN|Invalid|undefined/);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e300, 1e300, 0])(
    "%s in a Token of a program's own can be inspected",
    (expiresAt) => {
      expect(inspect(new Token({ accessToken: "a", expiresAt }))).toMatch(/expires (1970|9999)-/);
    },
  );
});
