import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fastToken } from "../../src/cli/fast-token.js";
import { fileBackend } from "../../src/store/file-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { ALICE, asUser, BOB, canBeOthers } from "../support/other-user.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** The table "What a file may be, and what happens" of docs/stores.md: each row is a describe() of that name. */

const HOST = "https://auth.example.org";
const entry = (accessToken: string) => ({
  token: { access_token: accessToken, expires: 4e9, refresh_token: "r" },
});
const token = (accessToken: string) => new Token({ accessToken, refreshToken: "r", expiresAt: 4e9 });
const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const stored = (path: string) => read(path)[HOST].token.access_token;

function open(path: string, staleMs = 200): { store: TokenStore; warnings: string[] } {
  const warnings: string[] = [];
  const lockTimes = { staleMs, waitMs: 400 };
  const backend = fileBackend(path, { onWarning: (message) => warnings.push(message), lockTimes });
  return { store: new TokenStore({ backend }), warnings };
}

/** A store file, in a folder of its own. */
function made(
  content: string | Buffer = JSON.stringify({ [HOST]: entry("old") }),
  folder = tempFolder(),
): string {
  const path = join(folder, "store.json");
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** What the program's fast path prints; undefined where it leaves it to the rest of the program. */
const fast = (path: string) => fastToken(["token", HOST, "--store", path], { HOME: dirname(path) })?.trim();

describe("a symbolic link", () => {
  it("is followed, and stays one", async () => {
    const target = made();
    const link = join(tempFolder(), "link.json");
    symlinkSync(target, link);
    expect((await open(link).store.get(HOST))?.accessToken).toBe("old");
    expect(fast(link)).toBe("old");
    await open(link).store.put(HOST, token("new"));
    expect(readlinkSync(link)).toBe(target);
    expect(stored(target)).toBe("new");
    expect(readdirSync(dirname(link))).toEqual(["link.json"]);
  });

  it("of a folder is followed, too", async () => {
    const target = made();
    const link = join(tempFolder(), "folder");
    symlinkSync(dirname(target), link);
    await open(join(link, "store.json")).store.put(HOST, token("new"));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(stored(target)).toBe("new");
  });

  it("to where there is no file yet leads to the new file", async () => {
    const [folder, target] = [tempFolder(), join(tempFolder(), "new.json")];
    symlinkSync("second.json", join(folder, "first.json"));
    symlinkSync(target, join(folder, "second.json"));
    const { store } = open(join(folder, "first.json"));
    expect(await store.get(HOST)).toBeUndefined();
    await store.put(HOST, token("new"));
    expect(stored(target)).toBe("new");
    expect(readlinkSync(join(folder, "first.json"))).toBe("second.json");
  });

  it("into a folder that is not there is store_unwritable, and stays as it is", async () => {
    const link = join(tempFolder(), "link.json");
    symlinkSync("/nowhere/at/all/store.json", link);
    const { store } = open(link);
    expect(await store.get(HOST)).toBeUndefined();
    await expect(store.put(HOST, token("new"))).rejects.toMatchObject({
      code: "store_unwritable",
      message: expect.stringContaining("its folder does not exist (/nowhere/at)"),
    });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it("in a loop is an error", async () => {
    const folder = tempFolder();
    symlinkSync("b.json", join(folder, "a.json"));
    symlinkSync("a.json", join(folder, "b.json"));
    const { store } = open(join(folder, "a.json"));
    const message = expect.stringContaining("loop of symbolic links");
    await expect(store.get(HOST)).rejects.toMatchObject({ code: "store_unreadable", message });
    await expect(store.backend.assertWritable()).rejects.toMatchObject({ code: "store_unwritable", message });
  });
});

describe.runIf(canBeOthers)("a link to a file whose folder cannot be written", () => {
  it("is read; a refresh is not begun, and the error names that folder", async () => {
    const target = made();
    chownSync(target, ALICE, ALICE);
    chmodSync(dirname(target), 0o755);
    const home = tempFolder();
    chownSync(home, ALICE, ALICE);
    const link = join(home, "link.json");
    symlinkSync(target, link);
    await asUser(ALICE, async () => {
      const { store, warnings } = open(link);
      expect((await store.get(HOST))?.accessToken).toBe("old");
      await expect(store.update(HOST, () => expect.fail("it was begun"))).rejects.toMatchObject({
        code: "store_unwritable",
        message: expect.stringContaining(`access is not permitted (${dirname(target)})`),
      });
      expect(warnings).toEqual([]);
    });
    expect(stored(target)).toBe("old");
  });
});

describe.runIf(canBeOthers)("a link that another user put into a folder for all", () => {
  it.each(["to a file", "to where there is none"])("is refused: %s", async (where) => {
    const folder = tempFolder();
    chmodSync(folder, 0o1777);
    const victim = made("precious, and not JSON");
    const target = where === "to a file" ? victim : join(dirname(victim), "none.json");
    const link = join(folder, "store.json");
    await asUser(BOB, async () => symlinkSync(target, link));
    chownSync(victim, ALICE, ALICE);
    chownSync(dirname(victim), ALICE, ALICE);
    for (const user of [ALICE, 0]) {
      await asUser(user, async () => {
        const { store } = open(link);
        const message = expect.stringContaining("another user made that link");
        // What is not there cannot be read, wherever it is not.
        if (target === victim)
          await expect(store.get(HOST)).rejects.toMatchObject({ code: "store_unreadable", message });
        else expect(await store.get(HOST)).toBeUndefined();
        await expect(store.backend.set(HOST, entry("x"))).rejects.toMatchObject({
          code: "store_unwritable",
          message,
        });
        await expect(store.backend.assertWritable()).rejects.toMatchObject({ message });
        expect(fast(link)).toBeUndefined();
      });
    }
    expect(readdirSync(dirname(victim))).toEqual(["store.json"]);
    expect(readFileSync(victim, "utf8")).toBe("precious, and not JSON");
  });

  it("is followed where it is the user's own, or root's", async () => {
    const folder = tempFolder();
    chmodSync(folder, 0o1777);
    const target = made();
    chownSync(target, ALICE, ALICE);
    chownSync(dirname(target), ALICE, ALICE);
    symlinkSync(target, join(folder, "roots.json"));
    await asUser(ALICE, async () => symlinkSync(target, join(folder, "own.json")));
    await asUser(ALICE, async () => {
      expect((await open(join(folder, "roots.json")).store.get(HOST))?.accessToken).toBe("old");
      await open(join(folder, "own.json")).store.put(HOST, token("new"));
    });
    expect(stored(target)).toBe("new");
  });
});

describe.runIf(canBeOthers)("another user's file", () => {
  it("is read with a warning, and never taken from them: no login and no refresh is begun for nothing", async () => {
    const path = made();
    chownSync(path, BOB, BOB);
    chmodSync(path, 0o666);
    chmodSync(dirname(path), 0o777);
    await asUser(ALICE, async () => {
      const { store, warnings } = open(path);
      expect((await store.get(HOST))?.accessToken).toBe("old");
      expect(warnings.join("\n")).toMatch(/belongs to another user \(uid 41002\)/);
      const refused = {
        code: "store_unwritable",
        message: expect.stringMatching(/belongs to another user \(uid 41002\)/),
      };
      await expect(store.backend.assertWritable()).rejects.toMatchObject(refused);
      await expect(store.update(HOST, () => expect.fail("it was begun"))).rejects.toMatchObject(refused);
      await expect(store.put(HOST, token("new"))).rejects.toMatchObject(refused);
      expect(fast(path)).toBeUndefined();
    });
    expect(stored(path)).toBe("old");
    expect(statSync(path)).toMatchObject({ uid: BOB });
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

describe.runIf(canBeOthers)("a user's file, and we are root", () => {
  it("stays theirs, without a word", async () => {
    const path = made();
    chownSync(path, ALICE, ALICE);
    chownSync(dirname(path), ALICE, ALICE);
    const { store, warnings } = open(path);
    await store.put(HOST, token("new"));
    await store.update(HOST, async () => token("newer"));
    expect(statSync(path)).toMatchObject({ uid: ALICE, gid: ALICE });
    expect(warnings).toEqual([]);
    await asUser(ALICE, async () => expect((await open(path).store.get(HOST))?.accessToken).toBe("newer"));
  });

  it("is theirs from the first, with its folders", async () => {
    const home = tempFolder();
    chownSync(home, ALICE, ALICE);
    const path = join(home, ".cache", "my-app", "store.json");
    await open(path).store.put(HOST, token("new"));
    for (const one of [path, dirname(path), join(home, ".cache")])
      expect(statSync(one)).toMatchObject({ uid: ALICE });
    await asUser(ALICE, async () => open(path).store.put(HOST, token("theirs")));
    expect(stored(path)).toBe("theirs");
  });

  it("is waited for by them while root works with it, and its lock is taken over where root's process died", async () => {
    const path = made();
    chownSync(path, ALICE, ALICE);
    chownSync(dirname(path), ALICE, ALICE);
    const holder = runNode(join(import.meta.dirname, "../process/workers/hold.mjs"), [path, "200"]);
    await holder.line((line) => line === "inside");
    await asUser(ALICE, async () => {
      await expect(open(path, 60_000).store.update(HOST, async () => token("new"))).rejects.toMatchObject({
        code: "store_locked",
        message: expect.stringContaining("an unknown process"),
        hint: expect.stringMatching(/remove .*\.lock/),
      });
    });
    holder.process.stdin?.write("go\n");
    expect(await holder.line((line) => line.startsWith("returned"))).toBe("returned stale");
    await holder.ended();
    writeFileSync(`${path}.lock`, "root's, left behind", { mode: 0o600 });
    await asUser(ALICE, async () => open(path).store.put(HOST, token("new")));
    expect(stored(path)).toBe("new");
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

describe("a file that others can read", () => {
  it.each([0o644, 0o640, 0o604, 0o666])("is closed to them, with a warning: mode %o", async (mode) => {
    const path = made();
    chmodSync(path, mode);
    const { store, warnings } = open(path);
    expect(fast(path)).toBeUndefined();
    for (let n = 0; n < 3; n++) await store.get(HOST);
    expect(warnings).toEqual([expect.stringContaining("could be read by others; its mode is now 0600")]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(fast(path)).toBe("old");
  });

  it.runIf(canBeOthers)("and that is not ours to close is told of, and read", async () => {
    const path = made();
    chmodSync(path, 0o644);
    chmodSync(dirname(path), 0o755);
    await asUser(ALICE, async () => {
      const { store, warnings } = open(path);
      for (let n = 0; n < 3; n++) expect((await store.get(HOST))?.accessToken).toBe("old");
      expect(warnings).toEqual([
        expect.stringContaining("can be read by others, which cannot be changed from here"),
      ]);
    });
  });

  it.runIf(canBeOthers)("by a group that its owner chose is no matter of ours", async () => {
    const path = made();
    chownSync(path, 0, ALICE);
    chmodSync(path, 0o640);
    chmodSync(dirname(path), 0o755);
    await asUser(ALICE, async () => {
      const { store, warnings } = open(path);
      expect((await store.get(HOST))?.accessToken).toBe("old");
      expect(warnings).toEqual([]);
    });
  });
});

describe("a folder that others may write to", () => {
  it.each([
    [0o777, true],
    [0o702, true],
    [0o1777, false],
    [0o755, false],
  ])("is told of, with what mends it: mode %o", async (mode, told) => {
    const path = made();
    chmodSync(dirname(path), mode);
    const { store, warnings } = open(path);
    for (let n = 0; n < 3; n++) expect((await store.get(HOST))?.accessToken).toBe("old");
    expect(warnings).toEqual(told ? [expect.stringContaining(`chmod go-w ${dirname(path)}`)] : []);
    expect(fast(path)).toBe(told ? undefined : "old");
    expect(statSync(dirname(path)).mode & 0o7777).toBe(mode);
  });

  it.runIf(canBeOthers)("as a group is told of, unless it is the user's own", async () => {
    const path = made();
    chmodSync(dirname(path), 0o770);
    for (const [gid, told] of [
      [ALICE, 0],
      [BOB, 1],
    ] as const) {
      chownSync(path, ALICE, ALICE);
      chownSync(dirname(path), ALICE, gid);
      await asUser(ALICE, async () => {
        const { store, warnings } = open(path);
        expect((await store.get(HOST))?.accessToken).toBe("old");
        expect(warnings).toHaveLength(told);
      });
    }
  });

  it.runIf(canBeOthers)("as its owner, another user, is told of", async () => {
    const path = made();
    chownSync(path, ALICE, ALICE);
    chownSync(dirname(path), BOB, BOB);
    chmodSync(dirname(path), 0o755);
    await asUser(ALICE, async () => {
      const { store, warnings } = open(path);
      expect((await store.get(HOST))?.accessToken).toBe("old");
      expect(warnings).toEqual([expect.stringContaining("can be replaced by others")]);
    });
  });
});

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
    await expect(store.backend.set(HOST, entry("new"))).rejects.toMatchObject(error);
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
    const path = made("{}");
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
    const path = made();
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
    const path = made();
    for (const content of ["", "{", "x".repeat(5_000_000)]) {
      writeFileSync(`${path}.lock`, content);
      await open(path).store.put(HOST, token("new"));
    }
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });

  it("where what guards the taking over is a folder, ends with store_locked", async () => {
    const path = made();
    writeFileSync(`${path}.lock`, "");
    mkdirSync(`${path}.lock.unknown.break`);
    await expect(open(path).store.put(HOST, token("new"))).rejects.toMatchObject({
      code: "store_locked",
      hint: expect.stringContaining(`remove ${path}.lock`),
    });
  });
});
