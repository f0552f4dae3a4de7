import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { cachedDocument, forgetAllDocuments, forgetDocument } from "../../src/servers/document-cache.js";
import { ALICE, asUser, canBeOthers } from "../support/other-user.js";
import { tempFolder } from "../support/temp-folder.js";

describe("the copy of what a provider says of itself", () => {
  const ID = "https://login.example.org";
  let folder: string;
  let reads: number;

  beforeEach(() => {
    folder = tempFolder();
    reads = 0;
    forgetAllDocuments();
  });

  /** What is known of it, as a process that has just begun would find it. */
  async function ask(now = Date.now()): Promise<unknown> {
    forgetAllDocuments();
    return cachedDocument({
      id: ID,
      folder,
      now,
      parse: (content) => content,
      read: async () => {
        reads++;
        return { fresh: reads };
      },
    });
  }

  async function file(): Promise<string> {
    await ask();
    const [name = ""] = readdirSync(folder);
    return join(folder, name);
  }

  it("is believed for a day by the next process", async () => {
    const path = await file();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask()).toEqual({ fresh: 1 });
    expect(await ask(Date.now() + 25 * 3600_000)).toEqual({ fresh: 2 });
  });

  it.runIf(canBeOthers)(
    "is believed by root where it was given to the owner of the folder, and by them",
    async () => {
      chownSync(folder, ALICE, ALICE);
      expect(statSync(await file())).toMatchObject({ uid: ALICE });
      expect(await ask()).toEqual({ fresh: 1 });
      await asUser(ALICE, async () => expect(await ask()).toEqual({ fresh: 1 }));
    },
  );

  const planted = (path: string, content: string) => {
    execFileSync("rm", ["-rf", path]);
    writeFileSync(path, content, { mode: 0o600 });
  };
  const evil = { id: ID, content: { evil: true }, readAt: Date.now() };
  const kinds: [string, (path: string) => unknown][] = [
    ["that others may write", (path) => [planted(path, JSON.stringify(evil)), chmodSync(path, 0o620)]],
    ["of another provider", (path) => planted(path, JSON.stringify({ ...evil, id: "https://other.org" }))],
    ["read tomorrow", (path) => planted(path, JSON.stringify({ ...evil, readAt: Date.now() + 86_400_000 }))],
    ["read at no time", (path) => planted(path, JSON.stringify({ ...evil, readAt: "now" }))],
    [
      "whose members are those of its prototype",
      (path) => planted(path, `{"__proto__": ${JSON.stringify(evil)}}`),
    ],
    ["cut off", (path) => planted(path, JSON.stringify(evil).slice(0, -9))],
    ["nested too deep", (path) => planted(path, `${"[".repeat(100_000)}${"]".repeat(100_000)}`)],
    ["of a terabyte", (path) => [planted(path, ""), truncateSync(path, 2 ** 40)]],
    ["that is a pipe", (path) => [execFileSync("rm", [path]), execFileSync("mkfifo", [path])]],
    ["that is a device", (path) => [execFileSync("rm", [path]), symlinkSync("/dev/zero", path)]],
  ];

  it.each(kinds)("is not believed, and replaced: one %s", async (_name, make) => {
    const path = await file();
    make(path);
    expect(await ask()).toEqual({ fresh: 2 });
    expect(await ask()).toEqual({ fresh: 2 });
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("is no link: where one leads, nothing is read and nothing is written", async () => {
    const path = await file();
    const precious = join(tempFolder(), "precious");
    writeFileSync(precious, JSON.stringify(evil), { mode: 0o600 });
    execFileSync("ln", ["-sf", precious, path]);
    expect(await ask()).toEqual({ fresh: 2 });
    expect(readFileSync(precious, "utf8")).toBe(JSON.stringify(evil));
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it.runIf(canBeOthers)("is not believed where it is another user's", async () => {
    const path = await file();
    planted(path, JSON.stringify(evil));
    chownSync(path, ALICE, ALICE);
    expect(await ask()).toEqual({ fresh: 2 });
  });

  it.each(["in its place", "where it is to be kept"])(
    "is a request more where a folder is %s",
    async (where) => {
      const path = await file();
      if (where === "in its place") [execFileSync("rm", [path]), mkdirSync(path)];
      else folder = join(path, "no-folder");
      expect(await ask()).toEqual({ fresh: 2 });
      expect(await ask()).toEqual({ fresh: 3 });
      await forgetDocument(ID, folder);
    },
  );

  it.runIf(canBeOthers)("is a request more where it cannot be kept", async () => {
    chmodSync(folder, 0o755);
    await asUser(ALICE, async () => {
      expect(await ask()).toEqual({ fresh: 1 });
      expect(await ask()).toEqual({ fresh: 2 });
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
