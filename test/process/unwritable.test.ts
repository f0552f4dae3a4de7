import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { logIn } from "../support/login.js";
import { type Child, type RunOptions, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate.mjs");

async function loggedIn() {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  await logIn(server.host, new TokenStore({ path }));
  const expire = () => {
    const content = JSON.parse(readFileSync(path, "utf8"));
    for (const entry of Object.values<{ token: { expires: number } }>(content))
      entry.token.expires = 1_700_000_000;
    writeFileSync(path, JSON.stringify(content));
  };
  const run = async (options: RunOptions = {}, at = path): Promise<string> => {
    const child: Child = runNode(WORKER, [server.host, at], {}, options);
    await child.line((line) => line === "ready");
    child.process.stdin?.write("go\n");
    return child.line((line) => /^(token|failed) /.test(line));
  };
  return { server, path, expire, run };
}

/** A folder that the worker may read, and not write. */
function closeFolder(path: string): RunOptions {
  chmodSync(dirname(path), 0o555);
  onTestFinished(() => chmodSync(dirname(path), 0o755));
  return { unprivileged: true };
}

describe("in a folder that cannot be written", () => {
  it("a good token is served", async () => {
    const { path, run } = await loggedIn();
    expect(await run(closeFolder(path))).toMatch(/^token Bearer /);
  });

  it("a refresh is not begun: the refresh token is not spent", async () => {
    const { server, path, expire, run } = await loggedIn();
    expire();
    const before = readFileSync(path, "utf8");
    expect(await run(closeFolder(path))).toMatch(/^failed store_unwritable: .*access is not permitted/);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(before);
  });
});

describe("where no space is left", () => {
  // A limit on the size of files fails in the same call as a full disk does.
  it("a good token is served, and a refresh is not begun", async () => {
    const { server, expire, run } = await loggedIn();
    expect(await run({ fileLimit: 16 })).toMatch(/^token Bearer /);
    expire();
    expect(await run({ fileLimit: 16 })).toMatch(/^failed store_unwritable: /);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(await run()).toMatch(/^token Bearer /);
    expect(server.counts["token:refresh"]).toBe(1);
  });
});

/** Nothing that is mounted outlives the program that sees it. */
describe.runIf(process.getuid?.() === 0)("what is mounted", () => {
  /** A place for the store's file in a folder of its own, as in a container. */
  function mountPoint(): string {
    const at = join(tempFolder(), "token.json");
    writeFileSync(at, "");
    return at;
  }

  it("as a file by itself is written in place, again and again", async () => {
    const { server, path, expire, run } = await loggedIn();
    const at = mountPoint();
    const mounts = `mount --bind ${path} ${at}`;
    const { ino } = statSync(path);
    for (const more of ["", "x".repeat(5000), ""]) {
      expire();
      const content = JSON.parse(readFileSync(path, "utf8"));
      writeFileSync(path, JSON.stringify({ ...content, more: { token: {}, text: more } }));
      const renewed = await run({ mounts }, at);
      expect(renewed).toMatch(/^token Bearer /);
      const after = JSON.parse(readFileSync(path, "utf8"));
      expect(`token Bearer ${after[server.host].token.access_token}`).toBe(renewed);
      expect(after.more.text).toBe(more);
    }
    expect(statSync(path).ino).toBe(ino);
    expect(server.counts["token:refresh"]).toBe(3);
    expect(readdirSync(dirname(at))).toEqual(["token.json"]);
  });

  it.each([
    [
      "as a file by itself, for reading only",
      (path: string, at: string) => `mount --bind ${path} ${at}; mount -o remount,bind,ro ${at}`,
    ],
    [
      "as a folder, for reading only",
      (path: string) =>
        `mount --bind ${dirname(path)} ${dirname(path)}; mount -o remount,bind,ro ${dirname(path)}`,
    ],
    [
      "on a disk that is full",
      (path: string) =>
        `cp ${path} /dev/shm/$$; mount -t tmpfs -o size=96k,mode=700 x ${dirname(path)}; cat /dev/shm/$$ > ${path}; rm /dev/shm/$$; chmod 600 ${path}; cat /dev/zero > ${dirname(path)}/full 2> /dev/null`,
    ],
  ])("%s serves a good token; a refresh is not begun", async (_name, mount) => {
    const { server, path, expire, run } = await loggedIn();
    const point = mountPoint();
    const mounts = mount(path, point);
    const at = mounts.includes(point) ? point : path;
    expect(await run({ mounts }, at)).toMatch(/^token Bearer /);
    expire();
    const before = readFileSync(path, "utf8");
    expect(await run({ mounts }, at)).toMatch(/^failed store_unwritable: .*(read-only|disk is full)/);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(dirname(at))).toHaveLength(1);
    expect(await run()).toMatch(/^token Bearer /);
  });
});

describe.runIf(process.getuid?.() === 0)(
  "a disk that is filled up to its last byte while a token is renewed",
  () => {
    const login = { token: { access_token: "old", expires: 1_700_000_000, refresh_token: "old-r" } };

    it.each([
      ["of a server", { "https://auth.example.org": login }, ""],
      [
        "of one of two servers at one host",
        {
          "https://auth.example.org": { ...login, server: "https://auth.example.org/other" },
          "https://auth.example.org/app": { ...login, server: "https://auth.example.org/app" },
        },
        "/app",
      ],
      ["in a file of one token", login.token, ""],
    ])(
      "keeps the new refresh token, in the space that was taken before: %s",
      async (_name, content, below) => {
        const folder = tempFolder();
        const [path, given] = [join(folder, "store.json"), join(tempFolder(), "given.json")];
        writeFileSync(given, JSON.stringify(content));
        const mounts = `mount -t tmpfs -o size=2m,mode=700 x ${folder}; cp ${given} ${path}; chmod 600 ${path}`;
        const worker = join(import.meta.dirname, "workers/fill-disk.mjs");
        const child = runNode(worker, [path, `https://auth.example.org${below}`], {}, { mounts });
        await child.ended();
        expect(child.lines).toEqual(["the disk is full", "stored new-r", "left full, store.json"]);
      },
    );
  },
);

describe("a file that is marked immutable", () => {
  it.runIf(canMarkImmutable())("serves a good token; a refresh is not begun", async () => {
    const { server, path, expire, run } = await loggedIn();
    expire();
    execFileSync("chattr", ["+i", path]);
    onTestFinished(() => void execFileSync("chattr", ["-i", path]));
    expect(await run()).toMatch(/^failed store_unwritable: .*access is not permitted/);
    expect(server.counts["token:refresh"] ?? 0).toBe(0);
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

/** As root, on a file system that knows it. */
function canMarkImmutable(): boolean {
  const file = join(mkdtempSync(join(tmpdir(), "oidc-auth-")), "file");
  writeFileSync(file, "");
  try {
    for (const mark of ["+i", "-i"]) execFileSync("chattr", [mark, file], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(dirname(file), { recursive: true });
  }
}
