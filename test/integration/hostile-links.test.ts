import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALICE, asUser, BOB, canBeOthers } from "../support/other-user.js";
import { entry, fast, HOST, open, stored, storeFile, token } from "../support/store-file.js";
import { tempFolder } from "../support/temp-folder.js";

/** Where links lead: rows of the table "What a file may be, and what happens" of docs/stores.md. */

describe("a symbolic link", () => {
  it("is followed, and stays one", async () => {
    const target = storeFile();
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
    const target = storeFile();
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
    const target = storeFile();
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
    const victim = storeFile("precious, and not JSON");
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
        await expect(store.backend.set(HOST, entry({ access_token: "x" }))).rejects.toMatchObject({
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
    const target = storeFile();
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
