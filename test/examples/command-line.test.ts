import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { tokenJson } from "../../src/store/entry.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, failures, memoryStore, startAuthServer } from "../../src/testing/index.js";
import { outcomeOf, runExample } from "../support/examples.js";
import { ended, logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";

/** What people start: the tool with a login, and the job that nobody sits in front of. */

async function world() {
  const server = await startAuthServer({ deviceInterval: 0.1 });
  onTestFinished(() => server.close());
  const home = tempFolder();
  return { server, home, env: { AUTH_HOST: server.host, XDG_CACHE_HOME: home } };
}

const LINK = /^http\S+user_code=/;

describe("cli-commander", () => {
  const cli = (args: string[], env: Record<string, string>) => runExample("cli-commander/main.ts", args, env);

  it("logs in once, tells who somebody is, and logs out", async () => {
    const { server, env } = await world();
    const login = cli(["login"], { ...env, INTERACTIVE_SESSION: "1" });
    await approveDevice(await login.error((line) => LINK.test(line)), { name: "bea" });
    expect(await outcomeOf(login)).toMatchObject({
      code: 0,
      out: expect.stringContaining("You are logged in."),
    });
    expect(await outcomeOf(cli(["login"], env))).toMatchObject({ code: 0, err: "" });
    expect(await outcomeOf(cli(["whoami"], env))).toEqual({ code: 0, out: "bea", err: "" });
    expect(server.counts).toMatchObject({ device: 1 });
    expect((await outcomeOf(cli(["logout"], env))).out).toBe("You are logged out.");
    expect((await outcomeOf(cli(["logout"], env))).out).toBe("You were not logged in.");
  });

  it("ends with 3 and what to do where nobody can log in, with 4 on Ctrl-C, with 1 on what else goes wrong", async () => {
    const { server, env } = await world();
    const nobody = await outcomeOf(cli(["whoami"], env));
    expect(nobody).toMatchObject({ code: 3, out: "" });
    expect(nobody.err).toContain(`oidc-auth ${server.host}`);

    const given = cli(["login"], { ...env, INTERACTIVE_SESSION: "1" });
    await given.error((line) => LINK.test(line));
    given.process.kill("SIGINT");
    expect(await outcomeOf(given)).toMatchObject({ code: 4, err: expect.stringContaining("cancelled") });

    const denied = cli(["login"], { ...env, INTERACTIVE_SESSION: "1" });
    await approveDevice(await denied.error((line) => LINK.test(line)), { deny: true });
    expect(await outcomeOf(denied)).toMatchObject({ code: 1, err: expect.stringContaining("allow access") });
  });
});

describe("batch-job", () => {
  const job = (env: Record<string, string>) => outcomeOf(runExample("batch-job/job.ts", ["one", "two"], env));

  it("without a login ends with 3, and prints what to do", async () => {
    const { server, env } = await world();
    const { code, out, err } = await job({ ...env, INTERACTIVE_SESSION: "1" });
    expect([code, out]).toEqual([3, ""]);
    expect(err).toMatch(/no person can be reached[\s\S]*do one of these:[\s\S]*OIDC_TOKEN_FILE/);
    expect(server.requests).toEqual([]);
  });

  it("uses the login of its home, and that of OIDC_TOKEN_FILE, which it renews in place", async () => {
    const { server, home, env } = await world();
    await logIn(server.host, new TokenStore({ env: { XDG_CACHE_HOME: home } }));
    expect(await job(env)).toEqual({
      code: 0,
      out: "one was done for alice\ntwo was done for alice",
      err: "",
    });

    const token = await logIn(server.host, memoryStore());
    const file = join(tempFolder(), "token.json");
    writeFileSync(file, JSON.stringify(tokenJson(ended(token))), { mode: 0o600 });
    const elsewhere = { AUTH_HOST: server.host, XDG_CACHE_HOME: tempFolder(), OIDC_TOKEN_FILE: file };
    const renewed = await job(elsewhere);
    expect(renewed).toMatchObject({ code: 0, err: "The token was renewed." });
    expect(await job(elsewhere)).toMatchObject({ code: 0, err: "" });
    expect(server.counts["refreshes"]).toBe(1);
  });

  it("that meets a server in trouble ends with 1, and its login is kept", async () => {
    const { server, home, env } = await world();
    const store = new TokenStore({ env: { XDG_CACHE_HOME: home } });
    await store.put(server.host, ended(await logIn(server.host, store)));
    server.fail("token", failures.htmlErrorPage);
    const { code, err } = await job(env);
    expect(code).toBe(1);
    expect(err).toContain("The stored login was kept");
    expect(await job(env)).toMatchObject({ code: 0 });
  });
});
