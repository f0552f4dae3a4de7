import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { entry, fast, HOST, open, read, storeFile, token } from "../support/store-file.js";

/** What stands in a file: rows of the table "What a file may be, and what happens" of docs/stores.md. */

function made(content: string | Buffer | object) {
  const path = storeFile(content);
  return { path, ...open(path) };
}

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
    // A file of a terabyte, on a disk that holds less.
    truncateSync(path, 2 ** 40);
    const error = { code: "store_unreadable", message: expect.stringContaining("larger than 65536 kB") };
    await expect(store.get(HOST)).rejects.toMatchObject(error);
    await expect(store.backend.set(HOST, entry())).rejects.toMatchObject(error);
    expect(fast(path)).toBeUndefined();
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
      expect(fast(path, name)).toBeUndefined();
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
