import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { FAR_FUTURE, Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

const NOW = 1_900_000_010_000;
const HOST = "https://auth.example.org";
const FIXTURE = new URL("../fixtures/python-token-store.json", import.meta.url);

function open(path: string, now = NOW): { store: TokenStore; warnings: string[] } {
  const warnings: string[] = [];
  return {
    store: new TokenStore({ path, now: () => now, onWarning: (text) => warnings.push(text) }),
    warnings,
  };
}

function pythonStore(): string {
  const path = join(tempFolder(), "token-store.json");
  copyFileSync(FIXTURE, path);
  chmodSync(path, 0o600);
  return path;
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const token = (name: string, init: object = {}) =>
  new Token({
    accessToken: name,
    expiresAt: 1_900_000_900,
    refreshToken: `${name}-r`,
    scope: "openid",
    ...init,
  });

describe("the Python client's file", () => {
  it("is read", async () => {
    const { store } = open(pythonStore());
    expect(await store.get(HOST)).toMatchObject({
      accessToken: "python-access-token",
      tokenType: "Bearer",
      expiresAt: 1_900_000_300,
      refreshToken: "python-refresh-token",
      refreshExpiresAt: 1_900_003_600,
      scope: "openid profile",
      headers: { Authorization: "Bearer python-access-token" },
    });
    expect(await store.hosts()).toEqual([HOST, "http://localhost:8080"]);
  });

  it("states no refresh expiry where Python filled in three minutes", async () => {
    const { store } = open(pythonStore(), NOW + 3600_000);
    expect(await store.get("http://localhost:8080")).toMatchObject({ refreshToken: "local-refresh-token" });
    expect((await store.get("http://localhost:8080"))?.refreshExpiresAt).toBeUndefined();
  });

  it("keeps what we do not know when we write", async () => {
    const path = pythonStore();
    const before = read(path);
    await open(path).store.put(HOST, token("ours"));
    await open(path).store.put("http://localhost:8080", token("local"));
    const after = read(path);
    expect(after["_meta"]).toEqual(before["_meta"]);
    expect(after["http://localhost:8080"]).toMatchObject({
      note: "kept",
      token: { a_future_field: [1, 2, 3] },
    });
  });

  it("is written as Python reads it", async () => {
    const path = join(tempFolder(), "token-store.json");
    const { store } = open(path);
    await store.put(HOST, token("a", { refreshExpiresAt: 1_900_003_600 }));
    await store.put("https://never.example.org", token("b"));
    expect(read(path)).toEqual({
      [HOST]: {
        token: {
          access_token: "a",
          token_type: "Bearer",
          expires: 1_900_000_900,
          refresh_token: "a-r",
          refresh_expires: 1_900_003_600,
          scope: "openid",
          headers: { Authorization: "Bearer a" },
        },
        stored_at: NOW / 1000,
        server: HOST,
      },
      "https://never.example.org": {
        token: expect.objectContaining({ refresh_expires: FAR_FUTURE }),
        stored_at: NOW / 1000,
        server: "https://never.example.org",
      },
    });
  });

  it("comes back as it was put", async () => {
    const path = join(tempFolder(), "token-store.json");
    const put = token("a", { refreshExpiresAt: 1_900_003_600, idToken: "id", issuedAt: 1_900_000_000 });
    await open(path).store.put(HOST, put);
    expect(await open(path).store.get(HOST)).toEqual(put);
  });
});

describe("hosts", () => {
  it.each([
    ["https://AUTH.example.org/"],
    ["auth.example.org"],
    ["https://auth.example.org:443"],
    ["https://user:pw@auth.example.org?x=1"],
  ])("%s is the same server", async (host) => {
    const { store } = open(pythonStore());
    expect((await store.get(host))?.accessToken).toBe("python-access-token");
  });

  it("under one origin never get each other's token, and a Python login serves either", async () => {
    const path = pythonStore();
    const { store } = open(path);
    const [one, two] = [`${HOST}/app1`, `${HOST}/app2`];
    expect((await store.get(one))?.accessToken).toBe("python-access-token");
    await store.put(one, token("one"));
    expect(await store.get(two)).toBeUndefined();
    await store.put(two, token("two"));
    expect((await store.get(one))?.accessToken).toBe("one");
    expect((await store.get(two))?.accessToken).toBe("two");
    expect(read(path)[HOST].token.access_token).toBe("one");
    expect(await store.hosts()).toEqual([one, "http://localhost:8080", two]);
    // The root of the origin is a third one.
    expect(await store.get(HOST)).toBeUndefined();
    await store.put(HOST, token("root"));
    expect((await store.get(one))?.accessToken).toBe("one");
    expect((await store.get(HOST))?.accessToken).toBe("root");
  });

  it("are looked for once where their entry says whose it is", async () => {
    const backend = memoryBackend();
    const store = new TokenStore({ backend, now: () => NOW });
    await store.put(`${HOST}/one`, token("one"));
    await store.put(`${HOST}/two`, token("two"));
    const looks = vi.spyOn(backend, "get");
    expect((await store.get(`${HOST}/one`))?.accessToken).toBe("one");
    expect(looks.mock.calls).toEqual([[HOST]]);
    expect((await store.get(`${HOST}/two`))?.accessToken).toBe("two");
    expect(looks.mock.calls).toEqual([[HOST], [HOST], [`${HOST}/two`]]);
  });

  it("that are no address are refused", async () => {
    await expect(open(pythonStore()).store.get("ftp://x")).rejects.toMatchObject({ code: "invalid_config" });
  });
});

describe("removing", () => {
  it("forgets one server, and says whether there was one", async () => {
    const { store } = open(pythonStore());
    expect(await store.remove(HOST)).toBe(true);
    expect(await store.remove(HOST)).toBe(false);
    expect(await store.hosts()).toEqual(["http://localhost:8080"]);
  });

  it("forgets all, but keeps what is not an entry", async () => {
    const path = pythonStore();
    expect(await open(path).store.clear()).toBe(2);
    expect(read(path)).toEqual({ _meta: { version: 2 } });
  });

  it("really removes expired entries at the next write", async () => {
    const path = pythonStore();
    const late = 1_900_003_571_000;
    const { store } = open(path, late);
    expect(await store.get(HOST)).toBeUndefined();
    await store.put("https://other.example.org", token("x", { expiresAt: 2_000_000_000 }));
    expect(Object.keys(read(path))).toEqual(["http://localhost:8080", "_meta", "https://other.example.org"]);
  });
});

describe("the file", () => {
  it("is made 0600 in a folder of 0700, and leaves nothing beside it", async () => {
    const path = join(tempFolder(), "deep", "er", "store.json");
    await open(path).store.put(HOST, token("a"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "..", "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(path, ".."))).toEqual(["store.json"]);
  });

  it("is closed to others when it is read, with a warning", async () => {
    const path = pythonStore();
    chmodSync(path, 0o644);
    const { store, warnings } = open(path);
    expect(await store.get(HOST)).toBeDefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([expect.stringContaining("could be read by others")]);
  });

  it("that is damaged is kept aside, with a warning, and never overwritten", async () => {
    const folder = tempFolder();
    const path = join(folder, "store.json");
    writeFileSync(path, '{"https://auth.example.org": {"token": {"access_to', { mode: 0o600 });
    const { store, warnings } = open(path);
    expect(await store.get(HOST)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(["store.json"]);
    await store.put(HOST, token("new"));
    const aside = readdirSync(folder).find((name) => name.startsWith("store.json.corrupt-"));
    expect(readFileSync(join(folder, aside ?? ""), "utf8")).toContain('"access_to');
    expect((await store.get(HOST))?.accessToken).toBe("new");
    expect(warnings.join("\n")).toContain(aside);
  });

  it.each([["[]"], ["null"], ['"text"'], ["42"]])("holding %s is damaged", async (text) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "store.json"), text, { mode: 0o600 });
    await open(join(folder, "store.json")).store.put(HOST, token("new"));
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it.each([[""], ["\n"], ["\ufeff{}"]])("holding %j is an empty store", async (text) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "store.json"), text, { mode: 0o600 });
    const { store, warnings } = open(join(folder, "store.json"));
    await store.put(HOST, token("new"));
    expect(readdirSync(folder)).toEqual(["store.json"]);
    expect(warnings).toEqual([]);
  });

  it("stays a symbolic link where it is one", async () => {
    const folder = tempFolder();
    const target = join(folder, "real.json");
    writeFileSync(target, "{}", { mode: 0o600 });
    symlinkSync(target, join(folder, "store.json"));
    await open(join(folder, "store.json")).store.put(HOST, token("a"));
    expect(lstatSync(join(folder, "store.json")).isSymbolicLink()).toBe(true);
    expect(read(target)[HOST].token.access_token).toBe("a");
  });

  it("that is a folder is store_unreadable, and left as it is", async () => {
    const path = join(tempFolder(), "store.json");
    mkdirSync(path);
    await expect(open(path).store.get(HOST)).rejects.toMatchObject({ code: "store_unreadable" });
    await expect(open(path).store.put(HOST, token("a"))).rejects.toMatchObject({ code: "store_unreadable" });
    expect(existsSync(path)).toBe(true);
  });

  it("in a folder that cannot be made is store_unwritable, naming it", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file", "store.json");
    // Even a reader is told, as the path can never be right.
    await expect(open(path).store.put(HOST, token("a"))).rejects.toMatchObject({
      code: expect.stringMatching(/^store_un(writable|readable)$/),
      message: expect.stringContaining(path),
    });
  });

  it("with a prototype's name as a key harms nothing", async () => {
    const path = join(tempFolder(), "store.json");
    writeFileSync(
      path,
      '{"__proto__": {"token": {"access_token": "evil", "expires": 2000000000}}, "constructor": 1}',
      {
        mode: 0o600,
      },
    );
    await open(path).store.put(HOST, token("a"));
    expect(readFileSync(path, "utf8")).toContain('"__proto__"');
    expect(await open(path).store.get(HOST)).toMatchObject({ accessToken: "a" });
    expect(({} as Record<string, unknown>)["token"]).toBeUndefined();
  });
});

describe("a bare token file", () => {
  function bare(content: object): string {
    const path = join(tempFolder(), "token.json");
    writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
    return path;
  }
  const content = {
    access_token: "bare",
    token_type: "Bearer",
    expires: 1_900_000_300,
    refresh_token: "bare-r",
    refresh_expires: FAR_FUTURE,
    scope: "openid",
    extra: true,
  };

  it("serves whatever host is asked for", async () => {
    const { store } = open(bare(content));
    expect((await store.get(HOST))?.accessToken).toBe("bare");
    expect((await store.get("https://x.org/app"))?.refreshToken).toBe("bare-r");
    expect(await store.hosts()).toEqual(["*"]);
  });

  it("keeps its shape when a token goes back", async () => {
    const path = bare(content);
    await open(path).store.update(HOST, async () => token("renewed"));
    expect(read(path)).toMatchObject({ access_token: "renewed", refresh_token: "renewed-r", extra: true });
    expect(read(path)).not.toHaveProperty("server");
    expect((await open(path).store.get("https://y.org"))?.accessToken).toBe("renewed");
  });

  it("is named by OIDC_TOKEN_FILE where no file is given, also beside the name of an application", async () => {
    const path = bare(content);
    const store = new TokenStore({ env: { OIDC_TOKEN_FILE: path }, now: () => NOW });
    expect(store.path).toBe(path);
    expect((await store.get(HOST))?.accessToken).toBe("bare");
    expect(new TokenStore({ appName: "x", env: { OIDC_TOKEN_FILE: path } }).path).toBe(path);
    expect(new TokenStore({ path: "/x.json", env: { OIDC_TOKEN_FILE: path } }).path).toBe("/x.json");
  });
});

describe.each([
  ["a file", () => open(join(tempFolder(), "store.json")).store],
  ["memory", () => new TokenStore({ backend: memoryBackend(), now: () => NOW })],
])("update() over %s", (_name, make) => {
  it("stores what the work returns", async () => {
    const store = make();
    expect(await store.update(HOST, async () => token("a"))).toMatchObject({ accessToken: "a" });
    expect(await store.update(HOST, async (current) => token(`${current?.accessToken}b`))).toMatchObject({
      accessToken: "ab",
    });
    expect(await store.get(HOST)).toMatchObject({ accessToken: "ab" });
    expect(await store.update(HOST, async () => undefined)).toBeUndefined();
    expect(await store.get(HOST)).toBeUndefined();
  });

  it("runs one work at a time, and shows each the one before", async () => {
    const store = make();
    const add = () => store.update(HOST, async (current) => token(`${current?.accessToken ?? ""}x`));
    await Promise.all(Array.from({ length: 20 }, add));
    expect((await store.get(HOST))?.accessToken).toBe("x".repeat(20));
  });

  it("never writes over what somebody else wrote meanwhile", async () => {
    const store = make();
    await store.put(HOST, token("old"));
    const result = await store.update(HOST, async () => {
      await store.put(HOST, token("theirs"));
      return token("mine");
    });
    expect(result).toMatchObject({ accessToken: "theirs" });
    expect(await store.get(HOST)).toMatchObject({ accessToken: "theirs" });
    await store.update(HOST, async () => {
      await store.put(HOST, token("newest"));
      return undefined;
    });
    expect(await store.get(HOST)).toMatchObject({ accessToken: "newest" });
  });

  it("leaves all as it was where the work fails, and frees the lock", async () => {
    const store = make();
    await store.put(HOST, token("old"));
    const work = () => store.update(HOST, async () => Promise.reject(new Error("no")));
    await expect(work()).rejects.toThrow("no");
    expect(await store.update(HOST, async (current) => current)).toMatchObject({ accessToken: "old" });
  });

  it("ends a waiter with its signal, and one whose token has come", async () => {
    const store = make();
    let finish = () => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let enter = () => {};
    const entered = new Promise<void>((resolve) => {
      enter = resolve;
    });
    const holder = store.update(HOST, async () => {
      enter();
      await held;
      return token("won");
    });
    await entered;
    const abort = new AbortController();
    const aborted = store.update(HOST, async () => token("late"), { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: "login_cancelled" });
    const waiter = store.update(HOST, async () => token("again"), {
      done: (now) => now.accessToken === "won",
    });
    finish();
    await holder;
    expect(await waiter).toMatchObject({ accessToken: "won" });
  });
});

describe("options", () => {
  it.each([
    ["linux", { HOME: "/h" }, "/h/.cache/py-oidc-auth/token-store.json"],
    ["linux", { HOME: "/h", XDG_CACHE_HOME: "/c" }, "/c/py-oidc-auth/token-store.json"],
  ])("the default path on %s with %j", async (platform, env, path) => {
    const { defaultStorePath } = await import("../../src/store/default-path.js");
    expect(defaultStorePath(undefined, env, platform as NodeJS.Platform)).toBe(path);
  });

  it("the default path on macOS and Windows", async () => {
    const { defaultStorePath } = await import("../../src/store/default-path.js");
    expect(defaultStorePath("app", { HOME: "/h" }, "darwin")).toBe("/h/Library/Caches/app/token-store.json");
    const windows = defaultStorePath("app", { LOCALAPPDATA: "/L" }, "win32");
    expect(windows).toBe("/L/app/app/Cache/token-store.json");
  });

  it("expand ~", () => {
    expect(new TokenStore({ path: "~/t.json", env: { HOME: "/h" } }).path).toBe("/h/t.json");
  });

  it.each([
    [{ path: "/x", appName: "y" }],
    [{ path: "/x", backend: memoryBackend() }],
    [{ appName: "../x" }],
    [{ path: "" }],
  ])("%j is refused", (options) => {
    expect(() => new TokenStore(options)).toThrow(expect.objectContaining({ code: "invalid_config" }));
  });
});
