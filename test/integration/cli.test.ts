import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AuthServer,
  type AuthServerOptions,
  approveDevice,
  completeLogin,
  startAuthServer,
} from "../../src/testing/index.js";
import { type Child, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** The built program: what people run. */
const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");
const LINK = /^https?:\/\/\S+$/;

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function finished(child: Child): Promise<Result> {
  const { code } = await child.ended();
  return { code, stdout: child.lines.join("\n"), stderr: child.errors.join("\n") };
}

/** The demo server, a cache folder of its own, and a person who approves what the program prints. */
async function world(options: AuthServerOptions = {}) {
  const server = await startAuthServer({ deviceInterval: 0.2, enforceInterval: false, ...options });
  onTestFinished(() => server.close());
  const cache = tempFolder();
  const start = (args: readonly string[], env: Record<string, string> = {}) =>
    runNode(CLI, args, { XDG_CACHE_HOME: cache, ...env });
  const run = (args: readonly string[], env?: Record<string, string>) => finished(start(args, env));
  const login = async (args: readonly string[] = [], env?: Record<string, string>): Promise<Result> => {
    const child = start([server.host, "--interactive", ...args], env);
    const link = await child.error((line) => LINK.test(line));
    await (link.includes("user_code") ? approveDevice(link) : completeLogin(link));
    return finished(child);
  };
  return { server, cache, start, run, login, file: join(cache, "py-oidc-auth/token-store.json") };
}

async function me(server: AuthServer, json: string): Promise<number> {
  const { headers } = JSON.parse(json) as { headers: Record<string, string> };
  return (await fetch(server.meUrl, { headers })).status;
}

describe("logging in", () => {
  it("shows link and code on lines of their own, and a summary without the token", async () => {
    const { server, login, file } = await world();
    const { code, stdout, stderr } = await login();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Server: +http/);
    expect(stdout).toMatch(/^Token: +logged in$/m);
    expect(stdout).toContain(file);
    expect(stderr.split("\n").some((line) => /^[A-Z]{4}-[A-Z]{4}$/.test(line))).toBe(true);
    const { access_token } = JSON.parse(readFileSync(file, "utf8"))[server.host].token;
    expect(stdout + stderr).not.toContain(access_token);
  });

  it("is not asked for again; --force does", async () => {
    const { server, login, run } = await world();
    await login();
    const again = await run([server.host]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^Token: +reused$/m);
    expect((await login(["--force"])).stdout).toMatch(/^Token: +logged in$/m);
    expect(server.counts["device"]).toBe(2);
  });

  it("in the browser, with --flow code", async () => {
    const { server, login, run } = await world();
    expect(await login(["--flow", "code", "--no-browser"])).toMatchObject({ code: 0 });
    expect(server.counts["device"] ?? 0).toBe(0);
    expect(await me(server, (await run([server.host, "--json"])).stdout)).toBe(200);
  });

  it("renews what has ended", async () => {
    const { server, login, run, file } = await world();
    await login();
    const content = JSON.parse(readFileSync(file, "utf8"));
    content[server.host].token.expires = 1_700_000_000;
    writeFileSync(file, JSON.stringify(content));
    expect((await run([server.host])).stdout).toMatch(/^Token: +refreshed$/m);
  });
});

describe("--json", () => {
  it("prints what Python prints, which works as OIDC_TOKEN_FILE", async () => {
    const { server, login, run } = await world();
    const { stdout } = await login(["--json"]);
    const printed = JSON.parse(stdout);
    expect(Object.keys(printed)).toEqual([
      "access_token",
      "token_type",
      "expires",
      "refresh_token",
      "refresh_expires",
      "scope",
      "headers",
    ]);
    expect(printed.refresh_expires).toBe(253_402_300_799);
    expect(await me(server, stdout)).toBe(200);
    const file = join(tempFolder(), "token.json");
    writeFileSync(file, JSON.stringify({ ...printed, expires: 1 }), { mode: 0o600 });
    const renewed = await run([server.host, "--json"], { OIDC_TOKEN_FILE: file, SLURM_JOB_ID: "1" });
    expect(renewed).toMatchObject({ code: 0, stderr: "" });
    expect(await me(server, renewed.stdout)).toBe(200);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject(JSON.parse(renewed.stdout));
  });
});

describe("stored logins", () => {
  it("are listed, removed and cleared, for the named application", async () => {
    const { server, login, run, cache } = await world();
    await login(["--app-name", "mine"]);
    expect(readdirSync(cache)).toContain("mine");
    expect(readdirSync(cache)).not.toContain("py-oidc-auth");
    expect(await run(["--list"])).toMatchObject({ code: 0, stdout: "" });
    expect(await run(["--list", "--app-name", "mine"])).toMatchObject({ code: 0, stdout: server.host });
    expect(JSON.parse((await run(["--list", "--json", "--app-name", "mine"])).stdout)).toEqual([server.host]);
    expect((await run(["--remove", server.host, "--app-name", "mine"])).stdout).toBe(
      `Removed ${server.host}.`,
    );
    expect((await run(["--remove", server.host, "--app-name", "mine"])).stdout).toContain("No login");
    await login(["--app-name", "mine"]);
    expect((await run(["--clear", "--app-name", "mine"])).stdout).toContain("Removed 1 login from");
    expect(await run(["--list", "--app-name", "mine"])).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("each argument has its effect", () => {
  it.each([
    ["--device-route", "device_route", "/elsewhere/device"],
    ["--token-route", "token_route", "/elsewhere/token"],
  ])("%s", async (flag, _name, route) => {
    const { server, run } = await world();
    const result = await run([
      server.host,
      "--interactive",
      "--flow",
      "device",
      flag,
      route,
      "--timeout",
      "3",
    ]);
    expect(result.code).toBe(1);
    expect(server.requests.map((request) => request.path)).toContain(route);
  });

  it("--login-route", async () => {
    const { server, run } = await world();
    const result = await run([server.host, "--interactive", "--flow", "code", "-l", "/elsewhere/login"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("login route");
    expect(server.requests.map((request) => request.path)).toContain("/elsewhere/login");
  });

  it("--ports", async () => {
    const { server, start } = await world({ redirectPorts: [53_107, 53_108] });
    const child = start([
      server.host,
      "--interactive",
      "--flow",
      "code",
      "--no-browser",
      "-p",
      "53107",
      "53108",
    ]);
    const link = await child.error((line) => LINK.test(line));
    expect(new URL(link).searchParams.get("redirect_uri")).toMatch(/^http:\/\/localhost:5310[78]\/callback$/);
    await completeLogin(link);
    expect(await finished(child)).toMatchObject({ code: 0 });
  });

  it("--timeout", async () => {
    const { server, run } = await world();
    const result = await run([server.host, "--interactive", "--timeout", "0.3"]);
    expect(result).toMatchObject({ code: 4, stdout: "" });
    expect(result.stderr).toContain("was not finished within 0.3 s");
  });

  it("--no-interactive, and its help", async () => {
    const { server, run } = await world();
    const result = await run([server.host, "--no-interactive"], { INTERACTIVE_SESSION: "1" });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain("What to do: do one of these:");
    expect(result.stderr).toContain("OIDC_TOKEN_FILE");
  });
});

describe("ends", () => {
  it("a denied login with 1", async () => {
    const { server, start } = await world();
    const child = start([server.host, "--interactive"]);
    await approveDevice(await child.error((line) => LINK.test(line)), { deny: true });
    const { code, stderr } = await finished(child);
    expect(code).toBe(1);
    expect(stderr).toMatch(/access_denied/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("wrong usage with 2", async () => {
    const { run } = await world();
    for (const args of [[], ["--nonsense"], ["ftp://x.org"], ["https://x.org", "-t", "https://y.org"]]) {
      const { code, stdout, stderr } = await run(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(/^oidc-auth: /);
    }
  });

  it.each(["device", "code"])("Ctrl-C in the %s login with 130, and leaves nothing behind", async (flow) => {
    const { server, start, cache } = await world();
    const child = start([server.host, "--interactive", "--no-browser", "--flow", flow]);
    await child.error((line) => LINK.test(line));
    child.process.kill("SIGINT");
    expect((await finished(child)).code).toBe(130);
    expect(readdirSync(join(cache, "py-oidc-auth"))).toEqual([]);
  });

  it("SIGTERM with 143", async () => {
    const { server, start } = await world();
    const child = start([server.host, "--interactive"]);
    await child.error((line) => LINK.test(line));
    child.process.kill("SIGTERM");
    expect((await finished(child)).code).toBe(143);
  });

  it("--help and --version with 0", async () => {
    const { run } = await world();
    expect(await run(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Usage: oidc-auth COMMAND [HOST]"),
    });
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: version });
  });
});
