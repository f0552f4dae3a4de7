import {
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { replaceFile, writeDraft } from "../../src/files/replace-file.js";
import { HOST, open, read, stored, storeFile, token } from "../support/store-file.js";
import { tempFolder } from "../support/temp-folder.js";

/** What lies beside a store file: drafts that somebody planted, and what processes that were killed have left. */

const ID = "0123456789abcdef01234567";
const HOUR_SECONDS = 3600;

/** A file that must not be touched, and a link to it. */
function linked(link: string): string {
  const target = join(tempFolder(), "precious");
  writeFileSync(target, "precious");
  symlinkSync(target, link);
  return target;
}

describe("a link in the place of a draft", () => {
  it.each([
    ["that is to be made", false, "EEXIST"],
    ["whose space is taken already", true, "ELOOP"],
  ])("%s is not followed, and what it leads to stays as it is", async (_name, reuse, code) => {
    const path = storeFile();
    const draft = `${path}.${ID}.tmp`;
    const target = linked(draft);
    await expect(writeDraft(draft, path, "{}", { reuse })).rejects.toMatchObject({ code });
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect(stored(path)).toBe("old");
  });

  it("has a name that nobody can know before", async () => {
    const path = storeFile();
    const names = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const { store } = open(path);
      await store.update(HOST, async () => {
        for (const name of readdirSync(dirname(path))) if (name.endsWith(".tmp")) names.add(name);
        return token(`new-${n}`);
      });
    }
    expect(names.size).toBe(20);
    for (const name of names) expect(name).toMatch(/^store\.json\.[0-9a-f]{24}\.tmp$/);
    await replaceFile(path, "{}");
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });
});

describe("what lies beside a store file for an hour", () => {
  const OURS = [`${ID}.tmp`, `lock.${ID}.new`, `lock.${ID}.break`, "lock.unknown.break", `${ID}.break.old`];
  const OTHERS = ["corrupt-20260101T000000.000Z", "bak", "mine.tmp", `${ID}.tmp.bak`, "lock.mine.new"];

  const age = (path: string) => {
    const then = Date.now() / 1000 - HOUR_SECONDS;
    utimesSync(path, then, then);
  };

  it("and is a killed process's is removed with the next change, and nothing else is", async () => {
    const path = storeFile();
    for (const name of [...OURS, ...OTHERS]) {
      writeFileSync(`${path}.${name}`, name);
      age(`${path}.${name}`);
    }
    const young = `${path}.${ID.replace("0", "f")}.tmp`;
    writeFileSync(young, "of a process that is at work");
    await open(path).store.put(HOST, token("new"));
    expect(readdirSync(dirname(path)).sort()).toEqual(
      [
        "store.json",
        ...OTHERS.map((name) => `store.json.${name}`),
        young.slice(dirname(path).length + 1),
      ].sort(),
    );
    for (const name of OTHERS) expect(readFileSync(`${path}.${name}`, "utf8")).toBe(name);
  });

  it("and is a link or a folder leads nobody astray", async () => {
    const path = storeFile();
    const target = linked(`${path}.${ID}.tmp`);
    lutimesSync(`${path}.${ID}.tmp`, 1, 1);
    const folder = `${path}.${ID}.new`;
    mkdirSync(folder);
    writeFileSync(join(folder, "inside"), "kept");
    utimesSync(folder, 1, 1);
    await open(path).store.put(HOST, token("new"));
    expect(read(path)[HOST].token.access_token).toBe("new");
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect(readFileSync(join(folder, "inside"), "utf8")).toBe("kept");
  });
});
