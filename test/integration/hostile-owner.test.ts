import { chmodSync, chownSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALICE, asUser, BOB, canBeOthers } from "../support/other-user.js";
import { runNode } from "../support/processes.js";
import { fast, HOST, open, stored, storeFile, token } from "../support/store-file.js";
import { tempFolder } from "../support/temp-folder.js";

/** Whose a file is, and who else may read or replace it: rows of the table "What a file may be, and what happens" of docs/stores.md. */

describe.runIf(canBeOthers)("another user's file", () => {
  it("is read with a warning, and never taken from them: no login and no refresh is begun for nothing", async () => {
    const path = storeFile();
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
    const path = storeFile();
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

  it("in a folder for all is not written to: they may have put it there to get what root would write", async () => {
    const path = storeFile();
    const folder = dirname(path);
    chownSync(path, BOB, BOB);
    chmodSync(folder, 0o1777);
    const refused = {
      code: "store_unwritable",
      message: expect.stringMatching(/another user put it into a folder for all/),
    };
    const { store } = open(path);
    await expect(store.put(HOST, token("new"))).rejects.toMatchObject(refused);
    await expect(store.update(HOST, () => expect.fail("it was begun"))).rejects.toMatchObject(refused);
    await expect(store.backend.assertWritable()).rejects.toMatchObject(refused);
    expect(stored(path)).toBe("old");
    expect(statSync(path)).toMatchObject({ uid: BOB });
    expect(readdirSync(folder)).toEqual(["store.json"]);
    // Where the folder is theirs, nobody else can have put it there.
    chownSync(folder, BOB, BOB);
    await store.put(HOST, token("new"));
    expect(stored(path)).toBe("new");
    expect(statSync(path)).toMatchObject({ uid: BOB });
  });

  it("is waited for by them while root works with it, and its lock is taken over where root's process died", async () => {
    const path = storeFile();
    chownSync(path, ALICE, ALICE);
    chownSync(dirname(path), ALICE, ALICE);
    const holder = runNode(join(import.meta.dirname, "../process/workers/hold.mjs"), [path, "200"]);
    await holder.line((line) => line === "inside");
    await asUser(ALICE, async () => {
      await expect(
        open(path, { staleMs: 60_000, waitMs: 400 }).store.update(HOST, async () => token("new")),
      ).rejects.toMatchObject({
        code: "store_locked",
        message: expect.stringContaining("an unknown process"),
        hint: expect.stringMatching(/remove .*\.lock/),
      });
    });
    holder.process.stdin?.end("go\n");
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
    const path = storeFile();
    chmodSync(path, mode);
    const { store, warnings } = open(path);
    expect(fast(path)).toBeUndefined();
    for (let n = 0; n < 3; n++) await store.get(HOST);
    expect(warnings).toEqual([expect.stringContaining("could be read by others; its mode is now 0600")]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(fast(path)).toBe("old");
  });

  it.runIf(canBeOthers)("and that is not ours to close is told of, and read", async () => {
    const path = storeFile();
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
    const path = storeFile();
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
    const path = storeFile();
    chmodSync(dirname(path), mode);
    const { store, warnings } = open(path);
    for (let n = 0; n < 3; n++) expect((await store.get(HOST))?.accessToken).toBe("old");
    expect(warnings).toEqual(told ? [expect.stringContaining(`chmod go-w ${dirname(path)}`)] : []);
    expect(fast(path)).toBe(told ? undefined : "old");
    expect(statSync(dirname(path)).mode & 0o7777).toBe(mode);
  });

  it.runIf(canBeOthers)("as a group is told of, unless it is the user's own", async () => {
    const path = storeFile();
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
    const path = storeFile();
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
