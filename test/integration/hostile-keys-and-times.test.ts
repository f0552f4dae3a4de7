import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { command as status } from "../../src/cli/commands/status.js";
import { list } from "../../src/cli/commands/stores.js";
import type { CliIo } from "../../src/cli/io.js";
import { parseCommand } from "../../src/cli/parse.js";
import { FAR_FUTURE, isRefreshable, isUsable, Token } from "../../src/token.js";
import { entry, fast, HOST, open, read, storeFile, token } from "../support/store-file.js";

/** Under which keys entries stand, and with which times: rows of the table "What a file may be, and what happens" of docs/stores.md. */

const NOW = 1_900_000_000_000;
const SECONDS = NOW / 1000;

function made(content: string | object) {
  const path = storeFile(content);
  return { path, ...open(path, { now: () => NOW }) };
}

describe("keys that mean the same server", () => {
  const BY_HAND = "HTTPS://Auth.Example.org:443/";
  const both = { [BY_HAND]: entry({ access_token: "by-hand" }), [HOST]: entry({ access_token: "normal" }) };

  it("the one in its normal form counts, and the other is kept", async () => {
    const { path, store } = made(both);
    expect((await store.get(HOST))?.accessToken).toBe("normal");
    expect(fast(path)).toBe("normal");
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
