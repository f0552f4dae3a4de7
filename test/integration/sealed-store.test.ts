import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { TokenStoreOptions } from "../../src/store/store-options.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

const HOST = "https://auth.example.org";
const OTHER = "https://other.example.org";
const KEY = randomBytes(32);

const token = (name: string) =>
  new Token({ accessToken: name, expiresAt: 4e9, refreshToken: `${name}-r`, scope: "s" });

async function sealed(): Promise<string> {
  const path = join(tempFolder(), "store.json");
  const store = new TokenStore({ path, encryptionKey: KEY });
  await store.put(HOST, token("secret-one"));
  await store.put(OTHER, token("secret-two"));
  return path;
}

describe("a sealed file", () => {
  it("shows no token, and gives it back", async () => {
    const path = await sealed();
    expect(readFileSync(path, "utf8")).not.toContain("secret");
    const store = new TokenStore({ path, encryptionKey: KEY });
    expect(await store.get(HOST)).toMatchObject({
      accessToken: "secret-one",
      refreshToken: "secret-one-r",
      scope: "s",
    });
    expect(await store.hosts()).toEqual([HOST, OTHER]);
    expect(await store.update(HOST, async () => token("next"))).toMatchObject({ accessToken: "next" });
    expect(await store.remove(OTHER)).toBe(true);
  });

  it.each<[string, TokenStoreOptions]>([
    ["base64", { encryptionKey: KEY.toString("base64") }],
    ["base64url", { encryptionKey: KEY.toString("base64url") }],
    ["hex", { encryptionKey: KEY.toString("hex") }],
    ["a variable", { encryptionKey: { env: "MY_KEY" }, env: { MY_KEY: ` ${KEY.toString("base64")}\n` } }],
    ["a function", { encryptionKey: async () => KEY }],
  ])("takes its key as %s", async (_name, options) => {
    expect(await new TokenStore({ path: await sealed(), ...options }).get(HOST)).toMatchObject({
      accessToken: "secret-one",
    });
  });

  it("with the wrong key is an error, never an empty store, and stays as it was", async () => {
    const path = await sealed();
    const before = readFileSync(path, "utf8");
    const store = new TokenStore({ path, encryptionKey: randomBytes(32) });
    const wrong = { code: "store_unreadable", hint: expect.stringContaining("encryption key") };
    await expect(store.get(HOST)).rejects.toMatchObject(wrong);
    await expect(store.hosts()).rejects.toMatchObject(wrong);
    await expect(store.put(HOST, token("x"))).rejects.toMatchObject(wrong);
    await expect(store.update(HOST, async () => token("x"))).rejects.toMatchObject(wrong);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  it("without a key is an error that says what is missing", async () => {
    const path = await sealed();
    const store = new TokenStore({ path });
    await expect(store.get(HOST)).rejects.toMatchObject({
      code: "store_unreadable",
      hint: expect.stringContaining("encryptionKey"),
    });
    // Another server's login does not touch what is sealed.
    await store.put("https://third.example.org", token("plain"));
    expect(await new TokenStore({ path, encryptionKey: KEY }).get(HOST)).toMatchObject({
      accessToken: "secret-one",
    });
  });

  it("can be cleared by somebody who has no key", async () => {
    const path = await sealed();
    expect(await new TokenStore({ path }).clear()).toBe(2);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({});
  });

  it("lets no entry stand in another's place", async () => {
    const path = await sealed();
    const content = JSON.parse(readFileSync(path, "utf8"));
    content[HOST].token = content[OTHER].token;
    writeFileSync(path, JSON.stringify(content));
    await expect(new TokenStore({ path, encryptionKey: KEY }).get(HOST)).rejects.toMatchObject({
      code: "store_unreadable",
    });
  });

  it("gives back a login whose origin's entry is another server's, and damaged", async () => {
    const path = join(tempFolder(), "store.json");
    const store = new TokenStore({ path, encryptionKey: KEY });
    await store.put(`${HOST}/one`, token("one"));
    await store.put(`${HOST}/two`, token("two"));
    const content = JSON.parse(readFileSync(path, "utf8"));
    content[HOST].token.jwe = "damaged";
    writeFileSync(path, JSON.stringify(content));
    expect((await store.get(`${HOST}/two`))?.accessToken).toBe("two");
    await expect(store.get(`${HOST}/one`)).rejects.toMatchObject({ code: "store_unreadable" });
  });

  it("takes in what was not sealed yet, and seals it when it is written next", async () => {
    const path = join(tempFolder(), "store.json");
    await new TokenStore({ path }).put(HOST, token("secret-plain"));
    const store = new TokenStore({ path, encryptionKey: KEY });
    const read = await store.get(HOST);
    expect(read).toMatchObject({ accessToken: "secret-plain" });
    await store.put(HOST, read as Token);
    expect(readFileSync(path, "utf8")).not.toContain("secret-plain");
  });

  it.each<[string, TokenStoreOptions]>([
    ["short", { encryptionKey: "dG9vIHNob3J0LXNlY3JldA==" }],
    ["missing", { encryptionKey: { env: "NOT_SET" }, env: {} }],
    ["of 31 bytes", { encryptionKey: randomBytes(31) }],
  ])("refuses a key that is %s, without showing it", (_name, options) => {
    const make = () => new TokenStore({ path: "/x", ...options });
    expect(make).toThrow(
      expect.objectContaining({ code: "invalid_config", message: expect.stringContaining("32 bytes") }),
    );
    try {
      make();
    } catch (error) {
      expect(inspect(error)).not.toContain("dG9vIHNob3J0");
    }
  });
});

describe("accounts", () => {
  it("keep several logins to one server apart, and from the Python client's", async () => {
    const path = join(tempFolder(), "store.json");
    const store = new TokenStore({ path });
    await store.put(HOST, token("python"));
    await store.put(HOST, token("work"), { account: "work" });
    await store.put(HOST, token("home"), { account: "me@home" });
    expect((await store.get(HOST))?.accessToken).toBe("python");
    expect((await store.get(HOST, { account: "work" }))?.accessToken).toBe("work");
    expect((await store.get(HOST, { account: "nobody" }))?.accessToken).toBeUndefined();
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")))).toEqual([
      HOST,
      `${HOST}#work`,
      `${HOST}#me@home`,
    ]);
    const hosts = await store.hosts();
    expect(hosts).toEqual([HOST, `${HOST}#work`, `${HOST}#me@home`]);
    // What is listed can be used as it is.
    expect((await store.get(hosts[2] ?? ""))?.accessToken).toBe("home");
    expect(await store.remove(HOST, { account: "work" })).toBe(true);
    expect(await store.hosts()).toEqual([HOST, `${HOST}#me@home`]);
    await store.update(HOST, async () => token("newer"), { account: "me@home" });
    expect((await store.get(HOST, { account: "me@home" }))?.accessToken).toBe("newer");
    expect((await store.get(HOST))?.accessToken).toBe("python");
  });

  it.each(["", "a b", "a\nb", "x".repeat(201)])("cannot be called %j", async (account) => {
    const store = new TokenStore({ path: join(tempFolder(), "store.json") });
    await expect(store.get(HOST, { account })).rejects.toMatchObject({ code: "invalid_config" });
  });
});
