import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isAuthError } from "../../src/errors.js";
import { fileBackend } from "../../src/store/file-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { type Fault, FaultyDisk } from "../support/faulty-disk.js";
import { tempFolder } from "../support/temp-folder.js";

/**
 * Every call to the file system that the store makes, failing in every way: the file then holds the old or the new
 * state, the error is one of ours, and nothing is left beside it.
 */

const HOST = "https://auth.example.org";
const OTHER = "https://other.example.org";
const CODES = [
  ...["EIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "EMFILE", "ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS"],
  ...["EBUSY", "EEXIST", "ENOENT", "EXDEV", "ENOTSUP", "EINVAL"],
];
/** Those that are known to last. */
const CODES_OF_LONG = ["EIO", "ENOSPC", "EACCES", "EROFS", "EBUSY", "EXDEV", "ENOTSUP", "EINVAL"];
const STORE_ERRORS = ["store_unwritable", "store_unreadable", "store_locked"] as const;

const token = (accessToken: string) =>
  new Token({ accessToken, refreshToken: `${accessToken}-r`, expiresAt: 4_000_000_000 });

interface Operation {
  readonly name: string;
  /** Whether there is a store before. */
  readonly empty?: boolean;
  /** Whether the file cannot be renamed over. */
  readonly mounted?: boolean;
  run(store: TokenStore, spent: () => void): Promise<unknown>;
  /** What is stored for the host afterwards. */
  readonly after: string | undefined;
}

const OPERATIONS: readonly Operation[] = [
  { name: "the first put()", empty: true, run: (store) => store.put(HOST, token("new")), after: "new" },
  { name: "put()", run: (store) => store.put(HOST, token("new")), after: "new" },
  {
    name: "put() into a file that is mounted by itself",
    mounted: true,
    run: (store) => store.put(HOST, token("new".padEnd(5000, "w"))),
    after: "new".padEnd(5000, "w"),
  },
  {
    name: "update(), as a refresh does it",
    run: (store, spent) =>
      store.update(HOST, async () => {
        spent();
        return token("new");
      }),
    after: "new",
  },
  { name: "remove()", run: (store) => store.remove(HOST), after: undefined },
  { name: "assertWritable()", run: (store) => store.backend.assertWritable(), after: "old" },
  { name: "get()", run: (store) => store.get(HOST), after: "old" },
];

/** A file with a login for the host, and one for another. */
const BEFORE = {
  [HOST]: {
    token: { access_token: "old", expires: 4e9, refresh_token: "old-r" },
    stored_at: 1.5e9,
    server: HOST,
  },
  [OTHER]: { token: { access_token: "other", expires: 4e9 }, more: [1, { deep: true }] },
};
/** A holder touches its lock after a fifth of the time: in no run, so that all runs make the same calls. */
const open = (path: string, lockTimes = { staleMs: 600_000, waitMs: 100 }) => {
  return new TokenStore({ backend: fileBackend(path, { onWarning: () => {}, lockTimes }) });
};

interface Run {
  readonly path: string;
  readonly calls: readonly string[];
  readonly error: unknown;
  /** Whether the server was asked. */
  readonly spent: boolean;
}

let root: string;
let disk: FaultyDisk;
let runs = 0;

beforeEach(async () => {
  // In memory where that can be had: thousands of runs wait for the disk else.
  root = tempFolder(existsSync("/dev/shm") ? "/dev/shm" : undefined);
  disk = await FaultyDisk.over(root);
  // Pauses between two tries take no time.
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((done: () => void) => setImmediate(done)) as never);
});

afterEach(() => {
  disk.remove();
  vi.restoreAllMocks();
});

async function attempt({ run, empty, mounted }: Operation, fault?: Fault): Promise<Run> {
  const path = join(root, String(runs++), "store.json");
  if (!empty) {
    mkdirSync(join(path, ".."), { mode: 0o700 });
    writeFileSync(path, JSON.stringify(BEFORE), { mode: 0o600 });
  }
  let spent = false;
  const store = open(path);
  disk.mounted = mounted ? path : undefined;
  disk.start(fault);
  const error = await run(store, () => {
    spent = true;
  }).then(
    () => undefined,
    (caught: unknown) => caught ?? "nothing",
  );
  const calls = [...disk.calls];
  disk.heal();
  return { path, calls, error, spent };
}

/** What is wrong after a run; nothing, as a rule. */
async function faultsOf({ after, empty }: Operation, fault: Fault, run: Run): Promise<string[]> {
  const wrong: string[] = [];
  const { path, error, spent } = run;
  if (error !== undefined && !isAuthError(error, ...STORE_ERRORS)) wrong.push(`it threw ${error}`);
  const content = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const stored = content[HOST]?.token.access_token;
  const before = empty ? undefined : "old";
  if (stored !== before && stored !== after) wrong.push(`it holds ${stored}`);
  if (error === undefined && stored !== after) wrong.push(`it says that it is done, and holds ${stored}`);
  const passes = fault.way === "once" || fault.way === "lost";
  if (spent && passes && stored !== after) wrong.push("a refresh token was spent, and its successor lost");
  if (!empty && JSON.stringify(content[OTHER]) !== JSON.stringify(BEFORE[OTHER]))
    wrong.push("another login changed");
  const left = existsSync(join(path, "..")) ? readdirSync(join(path, "..")) : [];
  if (passes && left.some((name) => name !== "store.json")) wrong.push(`it left ${left}`);
  // What holds a lock that could not be removed is this very process, which lives.
  const store = open(path, { staleMs: 20, waitMs: 60_000 });
  await store.put(HOST, token("later"));
  if ((await store.get(HOST))?.accessToken !== "later") wrong.push("it cannot be used any more");
  return wrong;
}

/** What a call may fail with: all, but for a file that is said to be missing when it is to be removed, and is not. */
function codesFor(name: string, way: Fault["way"]): string[] {
  if (way === "gone") return ["EIO"];
  const codes = way === "always" ? CODES_OF_LONG : CODES;
  return codes.filter((code) => way === "lost" || name !== "unlink" || code !== "ENOENT");
}

it("a file that is made, or replaced, at the very moment at which it is looked for is found", async () => {
  const get = OPERATIONS.find(({ name }) => name === "get()") as Operation;
  const { calls } = await attempt(get);
  expect(calls.filter((name) => /^(open|stat|lstat)/.test(name)).length).toBeGreaterThan(3);
  for (const call of calls.keys()) {
    const fault: Fault = { call, code: "ENOENT", way: "once" };
    let found: string | undefined;
    const run = async (store: TokenStore) => {
      found = (await store.get(HOST))?.accessToken;
    };
    expect((await attempt({ ...get, run }, fault)).error).toBeUndefined();
    expect(found).toBe("old");
  }
});

describe("space that is taken for another login", () => {
  const newer = token("new");
  /** How the next `put()` of a store that is in use already finds the disk full: at its draft. */
  async function fullDisk(store: TokenStore): Promise<Fault> {
    disk.start();
    await store.put(HOST, token("before"));
    return { call: disk.calls.indexOf("truncate"), code: "ENOSPC", way: "once" };
  }
  function openTwo() {
    const path = join(root, "store.json");
    writeFileSync(path, JSON.stringify(BEFORE), { mode: 0o600 });
    return { path, store: open(path), refreshed: token("refreshed") };
  }
  const storedIn = (path: string) => {
    const content = JSON.parse(readFileSync(path, "utf8"));
    return [HOST, OTHER].map((one) => content[one]?.token.access_token);
  };

  it.each(["has room", "is full"])("is written to by nobody before it is taken: the disk %s", async (how) => {
    const { path, store, refreshed } = openTwo();
    await store.put(HOST, newer);
    const fault = how === "is full" ? await fullDisk(store) : undefined;
    const held = disk.hold("truncate");
    const updated = store.update(OTHER, async () => refreshed);
    await held.arrived;
    disk.start(fault);
    await store.put(HOST, newer);
    disk.heal();
    expect(storedIn(path)).toEqual(["new", "other"]);
    held.release();
    expect(await updated).toBe(refreshed);
    expect(storedIn(path)).toEqual(["new", "refreshed"]);
    expect(readdirSync(root)).toEqual(["store.json"]);
  });

  it("is used by whoever writes to a full disk, and both are kept", async () => {
    const { path, store, refreshed } = openTwo();
    await store.put(HOST, newer);
    const fault = await fullDisk(store);
    await store.update(OTHER, async () => {
      disk.start(fault);
      await store.put(HOST, newer);
      disk.heal();
      const renamed = disk.calls.filter((name) => name === "rename");
      expect(renamed).toHaveLength(2);
      expect(storedIn(path)).toEqual(["new", "other"]);
      return refreshed;
    });
    expect(storedIn(path)).toEqual(["new", "refreshed"]);
    expect(readdirSync(root)).toEqual(["store.json"]);
  });
});

describe.each(OPERATIONS)("$name", (operation) => {
  it.each(["once", "lost", "always", "gone"] as const)(
    "survives each call that fails: %s",
    { timeout: 300_000 },
    async (way) => {
      const { calls, error } = await attempt(operation);
      expect(error).toBeUndefined();
      const wrong: string[] = [];
      let count = 0;
      for (const [call, name] of calls.entries()) {
        for (const code of codesFor(name, way)) {
          const fault = { call, code, way };
          const run = await attempt(operation, fault);
          count++;
          for (const one of await faultsOf(operation, fault, run))
            wrong.push(`${name} (${call}) ${code}: ${one}`);
        }
      }
      console.log(`${operation.name}, ${way}: ${count} failures over ${calls.length} calls`);
      expect(wrong).toEqual([]);
    },
  );
});
