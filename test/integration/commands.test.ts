import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { COMMANDS } from "../../src/cli/registry.js";
import { clientCredentials } from "../../src/credentials/grants.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, completeLogin, startAuthServer } from "../../src/testing/index.js";
import { startApi } from "../support/api.js";
import { startIssuer } from "../support/issuer.js";
import { logIn } from "../support/login.js";
import { runNode, runtimeWords } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** The commands of the built program, against real servers and with the real programs that call it. */

const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");
const exec = promisify(execFile);

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function world(login = true) {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(() => server.close());
  const home = tempFolder();
  const path = join(home, "py-oidc-auth/token-store.json");
  const env = { XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, HOME: home };
  const store = new TokenStore({ path });
  const token = login ? await logIn(server.host, store) : undefined;
  const start = (args: readonly string[], more: Record<string, string> = {}) =>
    runNode(CLI, args, { ...env, ...more });
  const run = async (
    args: readonly string[],
    more: Record<string, string> = {},
    input?: string,
  ): Promise<Result> => {
    const child = start(args, more);
    child.process.stdin?.end(input ?? "");
    const { code } = await child.ended();
    return { code, stdout: child.lines.join("\n"), stderr: child.errors.join("\n") };
  };
  /** The program under its own name, for others to call. */
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "oidc-auth"), `#!/bin/sh\nexec ${runtimeWords(CLI).join(" ")} "$@"\n`, {
    mode: 0o755,
  });
  return {
    server,
    home,
    path,
    env: { ...env, PATH: `${bin}:${process.env["PATH"]}` },
    store,
    token,
    run,
    start,
    bin,
  };
}

function expire(path: string): void {
  const content = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values<{ token: { expires: number } }>(content))
    entry.token.expires = 1_700_000_000;
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
}

let all: Awaited<ReturnType<typeof world>>;
beforeEach(async () => {
  all = await world();
});

describe("token", () => {
  it("prints the bare token, and nothing else; it renews without asking", async () => {
    const { run, server, token, path } = all;
    expect(await run(["token", server.host])).toEqual({ code: 0, stdout: token?.accessToken, stderr: "" });
    expire(path);
    const renewed = await run(["token", server.host]);
    expect(renewed).toMatchObject({ code: 0, stderr: "" });
    expect(renewed.stdout).not.toBe(token?.accessToken);
    expect(server.counts["refreshes"]).toBe(1);
  });

  it("never asks: without a login it ends with 3, and says what to do", async () => {
    const { server } = all;
    const { run } = await world(false);
    const result = await run(["token", server.host], { INTERACTIVE_SESSION: "1" });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain("What to do");
  });

  it.runIf(existsSync("/dev/full"))(
    "says in one line that what it printed could not be written",
    async () => {
      const { server, env } = all;
      const words = [...runtimeWords(CLI), "token", server.host];
      for (const more of [[], ["--format", "json"]]) {
        const error = await exec("sh", ["-c", 'exec "$@" > /dev/full', "sh", ...words, ...more], {
          env,
        }).catch((failure: unknown) => failure);
        expect(error).toMatchObject({
          code: 1,
          stderr: "oidc-auth: The result cannot be written to standard output (ENOSPC).\n",
        });
      }
    },
  );

  it.runIf(existsSync("/dev/full"))("goes on where what it tells meanwhile cannot be written", async () => {
    const { server, env } = all;
    const words = [...runtimeWords(CLI), "token", server.host, "--explain"];
    const script = ["-c", 'exec "$@" 2> /dev/full', "sh", ...words];
    expect((await exec("sh", script, { env })).stdout).toMatch(/^\S+\n$/);
  });

  it("asks where --login says so", async () => {
    const { start, server } = await world(false);
    const child = start(["token", server.host, "--login", "--interactive"]);
    await approveDevice(await child.error((line) => /^http/.test(line)));
    expect((await child.ended()).code).toBe(0);
    expect(child.lines).toHaveLength(1);
  });

  it.each([
    ["--header", /^Authorization: Bearer TOKEN$/],
    ["--format=header", /^Authorization: Bearer TOKEN$/],
    ["--format=curl", /^header = "Authorization: Bearer TOKEN"$/],
    ["--format=netrc", /^machine 127\.0\.0\.1 login oauth2 password TOKEN$/],
    [
      "--format=env",
      /^export OIDC_ACCESS_TOKEN='TOKEN'\nexport OIDC_TOKEN_TYPE='Bearer'\nexport OIDC_EXPIRES_AT=\d+$/,
    ],
    ["--format=json", /"access_token": "TOKEN"/],
  ])("%s", async (flag, expected) => {
    const { run, server, token } = all;
    const { code, stdout } = await run(["token", server.host, flag]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(token?.accessToken ?? "", "TOKEN")).toMatch(expected);
  });

  it("is what curl takes, as a header and as a configuration", async () => {
    const { env, server } = all;
    const sh = async (script: string) => (await exec("bash", ["-c", script], { env })).stdout;
    expect(await sh(`curl -s -H "$(oidc-auth token ${server.host} --header)" ${server.meUrl}`)).toContain(
      '"alice"',
    );
    expect(await sh(`curl -s -K <(oidc-auth token ${server.host} --format curl) ${server.meUrl}`)).toContain(
      '"alice"',
    );
    expect(
      await sh(
        `eval "$(oidc-auth token ${server.host} --format env)"; curl -s -H "Authorization: Bearer $OIDC_ACCESS_TOKEN" ${server.meUrl}`,
      ),
    ).toContain('"alice"');
    expect(await sh(`oidc-auth token ${server.host} --format netrc > n; test -s n && echo kept; rm n`)).toBe(
      "kept\n",
    );
  });

  it("--format aws exchanges it for temporary credentials", async () => {
    const { run, server, token } = all;
    const sts = await startApi(({ body }) => {
      const form = new URLSearchParams(body);
      if (form.get("RoleArn") !== "arn:aws:iam::1:role/r")
        return [403, {}, `<Message>Not authorized with ${form.get("WebIdentityToken")}</Message>`];
      return [
        200,
        {},
        "<R><AccessKeyId>AK</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>ST</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></R>",
      ];
    });
    const args = ["token", server.host, "--format", "aws", "--sts-endpoint", sts.url];
    const { stdout } = await run([...args, "--role-arn", "arn:aws:iam::1:role/r"]);
    expect(JSON.parse(stdout)).toEqual({
      Version: 1,
      AccessKeyId: "AK",
      SecretAccessKey: "SK",
      SessionToken: "ST",
      Expiration: "2030-01-01T00:00:00Z",
    });
    const refused = await run([...args, "--role-arn", "other"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("trust policy");
    expect(refused.stderr).not.toContain(token?.accessToken);
    expect(await run(args)).toMatchObject({ code: 2 });
  });

  it("without a person, by credentials", async () => {
    const { run } = all;
    const { issuer, jobToken } = await startIssuer({
      clients: [
        {
          client_id: "ci",
          client_secret: "secret-of-a-test",
          id_token_signed_response_alg: "ES256",
          redirect_uris: [],
          response_types: [],
          grant_types: ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
        },
      ],
    });
    const args = ["token", issuer, "--client-id", "ci", "--client-secret-env", "S"];
    expect(await run([...args, "--credentials", "client"], { S: "secret-of-a-test" })).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(
      await run([...args, "--credentials", "env:JOB"], { S: "secret-of-a-test", JOB: await jobToken() }),
    ).toMatchObject({ code: 0 });
    expect(await run([...args, "--credentials", "env:JOB"], { S: "secret-of-a-test" })).toMatchObject({
      code: 1,
    });
    expect(await run([...args, "--credentials", "magic"], { S: "x" })).toMatchObject({ code: 2 });
    expect(await run(args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("S, which is not set"),
    });
    expect(clientCredentials().kind).toBe("client_credentials");
  });
});

describe("exec", () => {
  it("gives the token in the environment and in a private file, and passes the exit status on", async () => {
    const { run, server, token } = all;
    const script =
      'printf "%s|%s|" "$OIDC_ACCESS_TOKEN" "$(cat "$OIDC_ACCESS_TOKEN_FILE")"; stat -c %a "$OIDC_ACCESS_TOKEN_FILE"; exit 7';
    const { code, stdout } = await run(["exec", server.host, "--", "sh", "-c", script]);
    expect(code).toBe(7);
    expect(stdout).toBe(`${token?.accessToken}|${token?.accessToken}|600`);
  });

  it("says which program cannot be run and why, with the status that a shell gives", async () => {
    const { run, server, home } = all;
    const file = join(home, "file");
    writeFileSync(file, "");
    for (const [program, code, why] of [
      ["no-such-program", 127, "it is not found"],
      [join(file, "below"), 127, "it is not found"],
      [home, 126, "it may not be"],
    ] as const) {
      expect(await run(["exec", server.host, "--", program])).toEqual({
        ...{ code, stdout: "" },
        stderr: `oidc-auth: ${program} cannot be run: ${why}.`,
      });
    }
  });

  it("says of a program that the system refuses for another reason which one that is", async () => {
    const { run, server } = all;
    const { code, stderr } = await run(["exec", server.host, "--", "x".repeat(5000)]);
    expect(code).toBe(126);
    expect(stderr.replace(/x{5000}/, "NAME")).toBe(
      "oidc-auth: NAME cannot be run: the system refuses it (ENAMETOOLONG).",
    );
  });

  it("takes other names for the variables, and leaves no file", async () => {
    const { run, server, token } = all;
    const { stdout } = await run([
      "exec",
      server.host,
      "--env",
      "MINE",
      "--file-env",
      "PLACE",
      "--",
      "sh",
      "-c",
      'echo "$MINE $PLACE"',
    ]);
    const [mine, place = ""] = stdout.split(" ");
    expect(mine).toBe(token?.accessToken);
    expect(existsSync(place)).toBe(false);
    expect(await run(["exec", server.host, "--env", "a b", "--", "true"])).toMatchObject({ code: 2 });
  });

  it("passes signals on, and says by which one the program ended", async () => {
    const { start, server } = all;
    const child = start([
      "exec",
      server.host,
      "--",
      "sh",
      "-c",
      'trap "echo got; exit 5" TERM; echo ready; while :; do sleep 0.05; done',
    ]);
    await child.line((line) => line === "ready");
    child.process.kill("SIGTERM");
    expect(await child.ended()).toMatchObject({ code: 5 });
    expect(child.lines).toContain("got");
    const killed = start(["exec", server.host, "--", "sh", "-c", "kill -9 $$"]);
    expect(await killed.ended()).toMatchObject({ code: 137 });
  });

  it.each([
    [["--", "no-such-program-anywhere"], 127],
    [["--"], 2],
    [[], 2],
  ])("%j ends with %i", async (rest, code) => {
    const { run, server } = all;
    expect(await run(["exec", server.host, ...rest])).toMatchObject({ code });
  });

  it("renews the file while the program runs", { timeout: 60_000 }, async () => {
    const server = await startAuthServer({
      deviceInterval: 0.05,
      enforceInterval: false,
      accessTokenLifetime: 6,
    });
    onTestFinished(() => server.close());
    const { start, store } = all;
    await logIn(server.host, store);
    const script =
      'cat "$OIDC_ACCESS_TOKEN_FILE"; echo; while [ "$(cat "$OIDC_ACCESS_TOKEN_FILE")" = "$OIDC_ACCESS_TOKEN" ]; do sleep 0.1; done; cat "$OIDC_ACCESS_TOKEN_FILE"; echo';
    const child = start(["exec", server.host, "--", "sh", "-c", script]);
    expect(await child.ended()).toMatchObject({ code: 0 });
    expect(new Set(child.lines).size).toBe(2);
  });
});

describe("status, list, refresh, userinfo, logout, remove, clear", () => {
  it("status tells who and until when, never the token; without a login it ends with 1", async () => {
    const { run, server, token, path } = all;
    const { code, stdout } = await run(["status", server.host]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^State: +good$/m);
    expect(stdout).toContain(path);
    expect(stdout).not.toContain(token?.accessToken);
    const json = JSON.parse((await run(["status", server.host, "--json"])).stdout);
    expect(json).toMatchObject({ server: server.host, state: "good", renewable: true, stored_in: path });
    expect(JSON.stringify(json)).not.toContain(token?.refreshToken);
    expect((await run(["status"])).stdout).toContain(server.host);
    expect(await run(["status", "https://nowhere.example"])).toMatchObject({ code: 1, stdout: "" });
    expire(path);
    expect((await run(["status", server.host])).stdout).toMatch(/^State: +to be renewed at the next use$/m);
  });

  it("status shows the claims of an id token", async () => {
    const { run, path, home } = all;
    const { issuer } = await startIssuer();
    const { issuerWorld } = await import("../support/issuer-world.js");
    const target = { issuer, clientId: "cli" };
    await authenticate(target, { ...issuerWorld(target).options, store: new TokenStore({ path }) });
    const { stdout } = await run(["status", issuer, "--client-id", "cli", "--json"]);
    expect(JSON.parse(stdout).claims).toMatchObject({ iss: issuer, sub: "alice", aud: "cli" });
    expect((await run(["list"])).stdout.split("\n")).toContain(`${issuer}?client_id=cli`);
    expect((await run(["remove", `${issuer}?client_id=cli`])).stdout).toMatch(/^Removed/);
    expect(readdirSync(join(home, "py-oidc-auth"))).toContain("token-store.json");
  });

  it("refresh renews now", async () => {
    const { run, server, token } = all;
    const { code, stdout } = await run(["refresh", server.host, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).access_token).not.toBe(token?.accessToken);
    expect(await run(["refresh", "https://nowhere.example"])).toMatchObject({ code: 3 });
  });

  it("userinfo asks the server", async () => {
    const { run, server } = all;
    expect(JSON.parse((await run(["userinfo", server.host, "--json"])).stdout)).toMatchObject({
      username: "alice",
    });
    expect((await run(["userinfo", server.host])).stdout).toMatch(/^username: +alice$/m);
  });

  it("logout forgets, and tells where the session ends", async () => {
    const { run, server } = all;
    const { code, stdout } = await run(["logout", server.host]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${server.host}/auth/v2/logout`);
    expect((await run(["list", "--json"])).stdout).toBe("[]");
  });

  it("remove and clear forget without asking the server", async () => {
    const { run, server } = all;
    expect(await run(["remove", server.host])).toMatchObject({ code: 0, stdout: `Removed ${server.host}.` });
    expect((await run(["remove", server.host, "--json"])).stdout).toContain('"removed": false');
    expect((await run(["clear"])).stdout).toMatch(/^Removed 0 logins/);
  });
});

describe("config", () => {
  it("keeps a server under a name, which every command takes", async () => {
    const { run, server, token, home } = all;
    expect(await run(["config", "set", "prod", server.host])).toMatchObject({ code: 0, stdout: "" });
    expect((await run(["token", "prod"])).stdout).toBe(token?.accessToken);
    expect((await run(["config", "show"])).stdout).toBe(`prod: ${server.host}`);
    const path = (await run(["config", "path"])).stdout;
    expect(path).toBe(join(home, "oidc-auth/config.json"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await run(["config", "set", "idp", "https://login.example.org", "--client-id", "cli", "--scopes", "a b"]);
    expect(JSON.parse((await run(["config", "show", "--json"])).stdout)).toEqual({
      prod: { host: server.host },
      idp: { issuer: "https://login.example.org", clientId: "cli", scopes: ["a", "b"] },
    });
    expect((await run(["config", "remove", "prod"])).stdout).toBe("Removed prod.");
    expect(await run(["token", "prod"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("There is no profile prod"),
    });
  });

  it("tells mistakes at once, and a broken file where it is read", async () => {
    const { run, home } = all;
    expect(await run(["config", "set", "x.y", "https://x.org"])).toMatchObject({ code: 2 });
    expect(await run(["config", "set", "x", "ftp://x.org"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("http(s)"),
    });
    expect(await run(["config", "set", "x"])).toMatchObject({ code: 2 });
    expect(await run(["config", "melt"])).toMatchObject({ code: 2 });
    mkdirSync(join(home, "oidc-auth"), { recursive: true });
    writeFileSync(join(home, "oidc-auth/config.json"), "{ not json");
    expect(await run(["token", "prod"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not valid JSON"),
    });
    // An address needs no settings.
    expect(await run(["status", "https://nowhere.example"])).toMatchObject({ code: 1 });
  });
});

describe("kubernetes", () => {
  const info = (more: object = {}) =>
    JSON.stringify({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      spec: { interactive: false },
      ...more,
    });

  it("prints an ExecCredential, as kubectl calls it and by hand", async () => {
    const { run, server, token } = all;
    for (const env of [{ KUBERNETES_EXEC_INFO: info() }, {}]) {
      const { code, stdout } = await run(["kubernetes", server.host], env as Record<string, string>);
      expect(code).toBe(0);
      const { status, ...rest } = JSON.parse(stdout);
      expect(rest).toEqual({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" });
      expect(status.token).toBe(token?.accessToken);
      expect(status.expirationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Date.parse(status.expirationTimestamp) / 1000).toBeLessThan(token?.expiresAt ?? 0);
    }
    const beta = info({ apiVersion: "client.authentication.k8s.io/v1beta1" });
    expect((await run(["kubernetes", server.host], { KUBERNETES_EXEC_INFO: beta })).stdout).toContain(
      "v1beta1",
    );
  });

  it("asks nobody where kubectl says that nobody is there", async () => {
    const { run, server } = await world(false);
    expect(await run(["kubernetes", server.host], { KUBERNETES_EXEC_INFO: info() })).toMatchObject({
      code: 3,
      stdout: "",
    });
  });

  it("wants a version that it knows, and an id token where that is asked for", async () => {
    const { run, server } = all;
    for (const text of ["not json", info({ apiVersion: "client.authentication.k8s.io/v9" })]) {
      expect(await run(["kubernetes", server.host], { KUBERNETES_EXEC_INFO: text })).toMatchObject({
        code: 2,
        stdout: "",
      });
    }
    expect(await run(["kubernetes", server.host, "--id-token"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--client-id"),
    });
  });
});

describe("git-credential", () => {
  it("is what git takes: get, a refused password, and a good one", async () => {
    const { env, server, token, path } = all;
    const git = async (command: string, input: string) => {
      const child = exec(
        "git",
        [
          "-c",
          "credential.helper=",
          "-c",
          `credential.helper=!oidc-auth git-credential --auth ${server.host}`,
          "credential",
          command,
        ],
        { env: { ...env, GIT_TERMINAL_PROMPT: "0" } },
      );
      child.child.stdin?.end(input);
      return (await child).stdout;
    };
    const asked = "protocol=https\nhost=git.example.org\n\n";
    const filled = await git("fill", asked);
    expect(filled).toContain(`password=${token?.accessToken}`);
    expect(filled).toContain("username=oauth2");
    await git("approve", filled);
    expect(server.counts["refreshes"] ?? 0).toBe(0);
    // git says that the password was refused: the next one is another.
    await git("reject", filled);
    expect(server.counts["refreshes"]).toBe(1);
    const second = await git("fill", asked);
    expect(second).not.toContain(String(token?.accessToken));
    expect(JSON.parse(readFileSync(path, "utf8"))[server.host].token.access_token).toBe(
      /password=(.*)/.exec(second)?.[1],
    );
  });

  it("gives nothing over plain http, and touches no other login", async () => {
    const { run, server } = all;
    const auth = ["--auth", server.host];
    expect(
      await run(["git-credential", "get", ...auth], {}, "protocol=http\nhost=git.example.org\n\n"),
    ).toMatchObject({ code: 0, stdout: "" });
    await run(
      ["git-credential", "erase", ...auth],
      {},
      "protocol=https\nhost=git.example.org\npassword=another\n\n",
    );
    expect(server.counts["refreshes"] ?? 0).toBe(0);
    expect(await run(["git-credential", "get"], {}, "")).toMatchObject({ code: 2 });
    expect(await run(["git-credential", "melt", ...auth], {}, "")).toMatchObject({ code: 2 });
  });

  it("says nothing on standard output without a login, so that git asks on", async () => {
    const { run, server } = await world(false);
    const result = await run(
      ["git-credential", "get", "--auth", server.host, "--no-interactive"],
      { INTERACTIVE_SESSION: "1" },
      "protocol=https\nhost=x\n\n",
    );
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("A login at");
  });
});

describe("docker-credential", () => {
  it("answers docker's four calls", async () => {
    const { run, server, token } = all;
    await run(["config", "set", "prod", server.host]);
    const env = { OIDC_AUTH_DOCKER: "prod" };
    const got = await run(["docker-credential", "get"], env, "registry.example.org\n");
    expect(JSON.parse(got.stdout)).toEqual({
      ServerURL: "registry.example.org",
      Username: "oauth2",
      Secret: token?.accessToken,
    });
    expect((await run(["docker-credential", "list"], env)).stdout).toBe("{}");
    expect(await run(["docker-credential", "store"], env, '{"ServerURL":"x"}')).toMatchObject({
      code: 0,
      stdout: "",
    });
    expect(await run(["docker-credential", "erase"], env, "x")).toMatchObject({ code: 0, stdout: "" });
    expect(await run(["docker-credential", "get"], {}, "x")).toMatchObject({
      code: 1,
      stdout: "credentials not found in native keychain",
    });
  });

  it("under its own name, as docker calls it", async () => {
    const { run, server, token, home, env } = all;
    await run(["config", "set", "prod", server.host]);
    const program = join(home, "bin/docker-credential-oidc-auth");
    symlinkSync(join(import.meta.dirname, "../../dist/cli/docker-credential.js"), program);
    chmodSync(join(import.meta.dirname, "../../dist/cli/docker-credential.js"), 0o755);
    const child = exec(program, ["get"], { env: { ...env, OIDC_AUTH_DOCKER: "prod" } });
    child.child.stdin?.end("registry.example.org");
    expect(JSON.parse((await child).stdout).Secret).toBe(token?.accessToken);
  });
});

describe("doctor", () => {
  it("finds all well on a machine where it is", async () => {
    const { run, server } = all;
    const { code, stdout } = await run(["doctor", server.host, "--json"]);
    const findings = JSON.parse(stdout) as { check: string; state: string }[];
    expect(code).toBe(0);
    expect(Object.fromEntries(findings.map(({ check, state }) => [check, state]))).toMatchObject({
      ...{
        store: "ok",
        "store-writable": "ok",
        "store-private": "ok",
        server: "ok",
        "device-flow": "ok",
        clock: "ok",
        ports: "ok",
      },
    });
  });

  it("names what fails, with the remedy, and ends with 1", async () => {
    const { run, path } = all;
    chmodSync(path, 0o644);
    const result = await run(["doctor", "http://127.0.0.1:2"]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(
      /^FAIL {2}The device route .* cannot be reached: nothing answers on that port/m,
    );
    expect(result.stdout).toMatch(/^warn {2}nobody can log in here/m);
    const other = await run(["doctor", "http://127.0.0.1:9"]);
    expect(other.stdout).toMatch(/^FAIL {2}The device route .* cannot be reached: port 9 is /m);
  });
});

describe("help", () => {
  it.each(Object.keys(COMMANDS))("%s --help has usage, options and examples", async (name) => {
    const { run } = all;
    const { code, stdout, stderr } = await run([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: oidc-auth ${name}`));
    expect(stdout).toMatch(/\nOptions:\n[\s\S]*--help[\s\S]*\nExamples:\n {2}\S/);
    expect(
      Math.max(
        ...stdout
          .split("\n")
          .filter((line) => !line.startsWith("  "))
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(140);
  });

  it("--explain tells why each step is taken or skipped", async () => {
    const { run, server, path } = all;
    expect((await run(["token", server.host, "--explain"])).stderr).toMatch(/is used: it ends in \d+ s/);
    expire(path);
    const { stderr, stdout } = await run(["token", server.host, "--explain"]);
    expect(stderr).toMatch(/ended \d+ s ago: it is renewed/);
    expect(stderr).toMatch(/locked/);
    expect(stdout.split("\n")).toHaveLength(1);
  });
});

describe("completion", () => {
  it("completes commands, options and stored hosts in bash", async () => {
    const { env, server } = all;
    const script = `eval "$(oidc-auth completion bash)"; t() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oidc_auth; printf '%s\\n' "\${COMPREPLY[@]}"; }`;
    const complete = async (words: string) =>
      (await exec("bash", ["-c", `${script}; t ${words}`], { env })).stdout.trim().split("\n");
    expect(await complete("oidc-auth to")).toEqual(["token"]);
    expect(await complete("oidc-auth token --for")).toEqual(["--format"]);
    expect(await complete("oidc-auth token ''")).toContain(server.host);
  });

  it.each(["zsh", "fish"])("for %s names every command", async (shell) => {
    const { run } = all;
    const { stdout } = await run(["completion", shell]);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(name);
    expect(await run(["completion", "tcsh"])).toMatchObject({ code: 2 });
  });
});

it("logs in at an OpenID provider, by the browser", async () => {
  const { start, run } = all;
  const { issuer } = await startIssuer();
  const child = start([issuer, "--client-id", "cli", "--interactive", "--flow", "code", "--no-browser"]);
  await completeLogin(await child.error((line) => /^http/.test(line)));
  expect(await child.ended()).toMatchObject({ code: 0 });
  expect((await run(["token", issuer, "--client-id", "cli"])).code).toBe(0);
});
