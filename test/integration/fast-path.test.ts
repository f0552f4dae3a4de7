import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fastToken } from "../../src/cli/fast-token.js";
import { Config } from "../../src/config.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const HOST = "https://auth.example.org";
const ISSUER = "https://login.example.org/realms/x";

async function world() {
  const home = tempFolder();
  const env = { XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, HOME: home };
  const path = join(home, "py-oidc-auth/token-store.json");
  const store = new TokenStore({ path });
  const soon = Math.floor(Date.now() / 1000) + 3600;
  const put = async (target: string | Config, accessToken: string, account?: string) => {
    await store.put(target, new Token({ accessToken, expiresAt: soon, refreshToken: "r" }), { account });
  };
  await put(HOST, "of-host");
  await put(HOST, "of-account", "second");
  await put(new Config({ issuer: ISSUER, clientId: "cli" }), "of-issuer");
  await put(new Config({ issuer: ISSUER, clientId: "cli", scopes: ["a", "b"] }), "of-scopes");
  await put(
    new Config({ issuer: ISSUER, clientId: "cli", resource: "https://api.example.org" }),
    "of-resource",
  );
  mkdirSync(join(home, "oidc-auth"));
  const profiles = { prod: { host: HOST }, idp: { issuer: ISSUER, clientId: "cli", scopes: ["b", "a"] } };
  writeFileSync(join(home, "oidc-auth/config.json"), JSON.stringify({ profiles }));
  return { home, env, path, store, fast: (...argv: string[]) => fastToken(argv, env) };
}

describe("the fast path", () => {
  it.each([
    [["token", HOST], "of-host"],
    [["token", `${HOST}/`], "of-host"],
    [["token", "auth.example.org"], "of-host"],
    [["token", HOST, "--header"], "Authorization: Bearer of-host"],
    [["token", "--header", HOST], "Authorization: Bearer of-host"],
    [["token", HOST, "--account", "second"], "of-account"],
    [["token", HOST, "--account=second"], "of-account"],
    [["token", ISSUER, "--client-id", "cli"], "of-issuer"],
    [["token", ISSUER, "--client-id", "cli", "--scopes", "b a"], "of-scopes"],
    [["token", ISSUER, "--client-id", "cli", "--resource", "https://api.example.org"], "of-resource"],
    [["token", "prod"], "of-host"],
    [["token", "idp"], "of-scopes"],
  ])("%j gives what the whole program gives", async (argv, expected) => {
    const { fast, env } = await world();
    expect(fast(...argv)).toBe(`${expected}\n`);
    const whole = runNode(join(DIST, "main.js"), argv, env);
    expect(await whole.ended()).toMatchObject({ code: 0 });
    expect(whole.lines).toEqual([expected]);
  });

  it.each([
    [["status", HOST]],
    [["token"]],
    [["token", HOST, "other"]],
    [["token", HOST, "--login"]],
    [["token", HOST, "--format", "json"]],
    [["token", HOST, "--account"]],
    [["token", HOST, "--explain"]],
    [["token", "https://nowhere.example"]],
    [["token", "nosuchprofile"]],
    [["token", "ftp://x"]],
    [["token", HOST, "--store", "/nowhere/at/all"]],
  ])("%j is left to the whole program", async (argv) => {
    expect((await world()).fast(...argv)).toBeUndefined();
  });

  it("leaves what needs mending, renewing or a key to the whole program", async () => {
    const { fast, path, env } = await world();
    const text = readFileSync(path, "utf8");
    const change = (edit: (entry: { token: Record<string, unknown> }) => void) => {
      const content = JSON.parse(text);
      edit(content[HOST]);
      writeFileSync(path, JSON.stringify(content));
      return fast("token", HOST);
    };
    expect(change(() => {})).toBe("of-host\n");
    expect(change(({ token }) => Object.assign(token, { expires: 1 }))).toBeUndefined();
    expect(change((entry) => Object.assign(entry, { token: { jwe: "sealed" } }))).toBeUndefined();
    expect(change((entry) => Object.assign(entry, { server: `${HOST}/other` }))).toBeUndefined();
    change(() => {});
    chmodSync(path, 0o644);
    expect(fast("token", HOST)).toBeUndefined();
    chmodSync(path, 0o600);
    expect(fastToken(["token", HOST], { ...env, OIDC_AUTH_DEBUG: "1" })).toBeUndefined();
    writeFileSync(path, "{ not json");
    expect(fast("token", HOST)).toBeUndefined();
  });

  it("serves a file with one bare token, which OIDC_TOKEN_FILE names", async () => {
    const { env } = await world();
    const file = join(tempFolder(), "t.json");
    writeFileSync(file, JSON.stringify({ access_token: "bare", token_type: "Bearer", expires: 9e9 }), {
      mode: 0o600,
    });
    expect(fastToken(["token", HOST], { ...env, OIDC_TOKEN_FILE: file })).toBe("bare\n");
  });

  it("is one file, which needs no other", async () => {
    const { env } = await world();
    const alone = join(tempFolder(), "oidc-auth.cjs");
    copyFileSync(join(DIST, "oidc-auth.cjs"), alone);
    const child = runNode(alone, ["token", HOST], env);
    expect(await child.ended()).toMatchObject({ code: 0 });
    expect(child.lines).toEqual(["of-host"]);
  });
});
