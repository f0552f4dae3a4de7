import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { entry, fast, HOST, open, stored, storeFile, token } from "../support/store-file.js";
import { tempFolder } from "../support/temp-folder.js";

/** What stands in the place of a file, of its folder and of its lock: rows of the table "What a file may be, and what happens" of docs/stores.md. */

describe("what is no file", () => {
  const kinds: [string, (path: string) => unknown, string][] = [
    ["a folder", (path) => mkdirSync(path), "a folder"],
    ["a pipe", (path) => mkfifo(path), "a pipe"],
    ["a socket", (path) => listenOn(path), "a socket or a device"],
    ["/dev/null", (path) => symlinkSync("/dev/null", path), "a device"],
    ["/dev/zero, which has no end", (path) => symlinkSync("/dev/zero", path), "a device"],
  ];

  it.each(kinds)("is an error at once, and left as it is: %s", async (_name, make, what) => {
    const path = join(tempFolder(), "store.json");
    await make(path);
    const { store } = open(path);
    const error = { code: "store_unreadable", message: expect.stringContaining(`it is ${what}`) };
    await expect(store.get(HOST)).rejects.toMatchObject(error);
    await expect(store.hosts()).rejects.toMatchObject(error);
    // Also where a reader had found a file before.
    await expect(store.backend.set(HOST, entry({ access_token: "new" }))).rejects.toMatchObject(error);
    await expect(store.backend.delete(HOST)).rejects.toMatchObject(error);
    await expect(store.backend.assertWritable()).rejects.toMatchObject(error);
    expect(fast(path)).toBeUndefined();
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

async function mkfifo(path: string): Promise<void> {
  const child = spawn("mkfifo", [path]);
  await new Promise((resolve) => child.once("close", resolve));
}

async function listenOn(path: string): Promise<void> {
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
}

describe("a folder that is not there", () => {
  it("is made once, for all who begin at the same time", async () => {
    const path = join(tempFolder(), "a", "b", "c", "store.json");
    const hosts = Array.from({ length: 20 }, (_, n) => `https://h${n}.example.org`);
    await Promise.all(hosts.map((host) => new TokenStore({ path }).put(host, token("new"))));
    expect(await open(path).store.hosts()).toHaveLength(20);
    for (const folder of [dirname(path), join(path, "../..")])
      expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.runIf(existsSync("/proc/self"))(
    "and can never be is an error, not an attempt without an end",
    async () => {
      const { store } = open("/proc/nowhere/at/all/store.json");
      await expect(store.put(HOST, token("new"))).rejects.toMatchObject({
        code: "store_unwritable",
        message: expect.stringContaining("its folder does not exist"),
      });
    },
  );

  it("as it was removed while a token was fetched is made again, and the token kept", async () => {
    const path = storeFile("{}");
    await open(path).store.update(HOST, async () => {
      rmSync(dirname(path), { recursive: true });
      return token("new");
    });
    expect(stored(path)).toBe("new");
  });
});

describe("a lock's place that is taken", () => {
  const kinds: [string, (path: string) => unknown, string][] = [
    ["by a folder", (path) => mkdirSync(path), "a folder"],
    ["by a pipe", (path) => mkfifo(path), "a pipe"],
    ["by a socket", (path) => listenOn(path), "a socket"],
    ["by a link to a file", (path) => symlinkSync("store.json", path), "a symbolic link"],
    ["by a link to where there is none", (path) => symlinkSync("nowhere", path), "a symbolic link"],
  ];

  it.each(kinds)("is an error at once, which says what to remove: %s", async (_name, make, what) => {
    const path = storeFile();
    await make(`${path}.lock`);
    const { store } = open(path);
    expect((await store.get(HOST))?.accessToken).toBe("old");
    const changes = [
      () => store.put(HOST, token("new")),
      () => store.remove(HOST),
      () => store.backend.assertWritable(),
    ];
    for (const change of changes) {
      await expect(change()).rejects.toMatchObject({
        code: "store_locked",
        message: expect.stringContaining(`it is ${what}`),
        hint: expect.stringContaining(`Remove ${path}.lock`),
      });
    }
    expect(stored(path)).toBe("old");
    expect(existsSync(join(dirname(path), "nowhere"))).toBe(false);
    expect(readdirSync(dirname(path)).sort()).toEqual(["store.json", "store.json.lock"]);
  });

  it("by a file that says nothing, or a gigabyte of it, is that of a dead process after a while", async () => {
    const path = storeFile();
    for (const content of ["", "{", "x".repeat(5_000_000)]) {
      writeFileSync(`${path}.lock`, content);
      await open(path).store.put(HOST, token("new"));
    }
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });

  it("where what guards the taking over is a folder, ends with store_locked", async () => {
    const path = storeFile();
    writeFileSync(`${path}.lock`, "");
    mkdirSync(`${path}.lock.unknown.break`);
    await expect(open(path, { waitMs: 400 }).store.put(HOST, token("new"))).rejects.toMatchObject({
      code: "store_locked",
      hint: expect.stringContaining(`remove ${path}.lock`),
    });
  });
});
