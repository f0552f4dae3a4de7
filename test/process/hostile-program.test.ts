import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen } from "../../src/testing/server/http.js";
import { type HostileServer, startHostileServer, unsignedJwt } from "../support/hostile-server.js";
import {
  ALL_HOSTILE,
  HOSTILE_TEXTS,
  HOSTILE_TOKEN,
  MADE_BY_SHELL,
  nearlyAMegabyte,
} from "../support/hostile-text.js";
import { CLI, type Ran, run, runCli } from "../support/program.js";
import { troubles } from "../support/screen.js";
import { tempFolder } from "../support/temp-folder.js";

/** The built program and a hostile server: every byte that it writes is looked at, and real shells read it. */

interface World {
  readonly server: HostileServer;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cli: (args: readonly string[], input?: string) => Promise<Ran>;
}

async function world(evil: (field: string) => string): Promise<World> {
  const server = await startHostileServer({ evil, accessToken: HOSTILE_TOKEN });
  const home = tempFolder();
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "oidc-auth"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    ...{ HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, TMPDIR: home },
    PATH: `${bin}:${process.env["PATH"]}`,
  };
  return { server, home, env, cli: (args, input = "") => runCli(args, env, { input, cwd: home }) };
}

/** Fails where a byte is more than text, or a shell was made to run something. */
function judge({ home }: World, { stdout, stderr }: Ran, what: string, json: boolean): void {
  expect(troubles(stderr), `${what}: standard error`).toEqual([]);
  if (json) {
    // Data may be long.
    const text = stdout.toString();
    expect(() => JSON.parse(text), what).not.toThrow();
    expect(
      troubles(text).filter((one) => / in "/.test(one)),
      what,
    ).toEqual([]);
  } else expect(troubles(stdout), `${what}: standard output`).toEqual([]);
  // A line that only looks like one of ours.
  expect(`${stdout}\n${stderr}`, what).not.toMatch(/^(oidc-auth: warning: OWNED|Token: {7}good)/m);
  expect(existsSync(join(home, MADE_BY_SHELL)), what).toBe(false);
}

const LOGIN = ["--interactive", "--flow", "device"];
const GIT_ASKS = "protocol=https\nhost=git.example.org\n\n";

/** Each command that speaks with a server or shows what is stored, in an order in which each has something to do. */
const commands = (
  target: readonly string[],
): readonly (readonly [words: string[], options?: { json?: boolean; input?: string }])[] => [
  [["login", ...target, ...LOGIN, "--explain"]],
  [["login", ...target, ...LOGIN, "--force", "--json"], { json: true }],
  [["token", ...target]],
  [["token", ...target, "--header"]],
  [["token", ...target, "--format", "json"], { json: true }],
  [["token", ...target, "--format", "env"]],
  [["token", ...target, "--format", "curl"]],
  [["token", ...target, "--format", "netrc"]],
  [["status", ...target]],
  [["status", ...target, "--json"], { json: true }],
  [["status"]],
  [["list"]],
  [["list", "--json"], { json: true }],
  [["userinfo", ...target]],
  [["userinfo", ...target, "--json"], { json: true }],
  [["refresh", ...target, "--explain"]],
  [["refresh", ...target, "--json"], { json: true }],
  [["doctor", ...target]],
  [["doctor", ...target, "--json"], { json: true }],
  [["kubernetes", ...target], { json: true }],
  [["kubernetes", ...target, "--id-token"], { json: true }],
  [["git-credential", "get", "--auth", ...target], { input: GIT_ASKS }],
  [["exec", ...target, "--", "sh", "-c", 'printf "%s\\n" "$OIDC_ACCESS_TOKEN"']],
  [["logout", ...target]],
];

const TARGETS: Readonly<Record<string, (host: string) => readonly string[]>> = {
  "the routes": (host) => [host],
  "an issuer": (host) => [host, "--client-id", "cli", "--scopes", "read"],
};

describe.each(Object.entries(TARGETS))("against %s", (_kind, targetOf) => {
  it("every command writes nothing but text, whatever stands in every field", {
    timeout: 120_000,
  }, async () => {
    const all = await world(() => ALL_HOSTILE);
    for (const [words, { json = false, input = "" } = {}] of commands(targetOf(all.server.host))) {
      const ran = await all.cli(words, input);
      const what = words.join(" ");
      expect([what, ran.code, ran.code === 0 ? "" : ran.stderr.toString()]).toEqual([what, 0, ""]);
      judge(all, ran, what, json);
    }
    expect(all.server.requests.length).toBeGreaterThan(10);
  });

  it("refusals and failures are text, too, and with --explain", { timeout: 120_000 }, async () => {
    const all = await world(() => ALL_HOSTILE);
    const target = targetOf(all.server.host);
    const paths = [
      "/auth/v2/device",
      "/device",
      "/auth/v2/token",
      "/token",
      "/auth/v2/userinfo",
      "/userinfo",
      "/revoke",
    ];
    expect((await all.cli(["login", ...target, ...LOGIN])).code).toBe(0);
    const bodies = [
      { status: 400, body: { error: ALL_HOSTILE, error_description: ALL_HOSTILE } },
      { status: 400, body: { error: "invalid_grant", error_description: ALL_HOSTILE } },
      { status: 422, body: { detail: [{ loc: [ALL_HOSTILE], msg: ALL_HOSTILE }] } },
      { status: 500, body: ALL_HOSTILE },
      { raw: `HTTP/1.1 418 ${ALL_HOSTILE}\r\n\r\n` },
    ];
    for (const answer of bodies) {
      for (const path of paths) all.server.answers.set(path, answer);
      for (const words of [
        ["login", ...target, ...LOGIN, "--force", "--explain"],
        ["refresh", ...target, "--explain"],
        ["userinfo", ...target],
        ["doctor", ...target],
      ]) {
        const ran = await all.cli(words);
        const what = `${JSON.stringify(answer).slice(0, 40)} ${words.join(" ")}`;
        // Told as what it is, and not as a fault of the program.
        expect(ran.stderr.toString(), what).not.toMatch(/unexpected:|\n\s+at /);
        expect([1, 3, 4], what).toContain(ran.code);
        judge(all, ran, what, false);
      }
      all.server.answers.clear();
      await all.cli(["login", ...target, ...LOGIN, "--force"]);
    }
  });

  it.each(["user_code", "scope", "name", "preferred_username", "claim", "message", "service_documentation"])(
    "a megabyte of %s makes a short output",
    { timeout: 60_000 },
    async (large) => {
      const all = await world((field) =>
        field === large ? nearlyAMegabyte(`${HOSTILE_TEXTS["a title (OSC 0)"]} s `) : "x",
      );
      const target = targetOf(all.server.host);
      for (const words of [
        ["login", ...target, ...LOGIN, "--explain"],
        ["status", ...target],
        ["userinfo", ...target],
        ["doctor", ...target],
      ]) {
        judge(all, await all.cli(words), words.join(" "), false);
      }
    },
  );
});

/** A store as a server, or whoever else wrote it, would like it to be. */
function store(home: string, entries: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(home, "py-oidc-auth"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, "py-oidc-auth/token-store.json"), JSON.stringify(entries), { mode: 0o600 });
}

const LATER = 4_000_000_000;
const entry = (more: object = {}) => ({
  token: {
    access_token: "t",
    token_type: "Bearer",
    expires: LATER,
    refresh_token: "r",
    scope: ALL_HOSTILE,
    ...more,
  },
  stored_at: 1_700_000_000,
});

describe("what is stored", () => {
  it("is listed and told of as text, whatever its names and claims are", { timeout: 60_000 }, async () => {
    const all = await world(() => "x");
    const id_token = unsignedJwt({
      sub: [ALL_HOSTILE],
      name: ALL_HOSTILE,
      aud: { [ALL_HOSTILE]: ALL_HOSTILE },
      iss: ALL_HOSTILE,
    });
    const hosts = Object.values(HOSTILE_TEXTS).map((text) => `https://auth.example.org/${text}`);
    store(all.home, {
      ...Object.fromEntries(hosts.map((host) => [host, entry({ id_token })])),
      "https://good.example": entry({ id_token }),
      [ALL_HOSTILE]: entry({ id_token }),
      "https://named.example": { ...entry(), server: `https://named.example/${ALL_HOSTILE}` },
      // Nothing but an object: names that stand for methods elsewhere.
      "https://odd.example": entry({
        id_token: unsignedJwt({ sub: { toString: 1, valueOf: 1 }, name: 5, groups: { toString: 1 } }),
      }),
    });
    for (const [words, json] of [
      [["list"], false],
      [["list", "--json"], true],
      [["status"], false],
      [["status", "--json"], true],
      [["status", "https://good.example"], false],
      [["status", "https://odd.example"], false],
      [["status", "https://odd.example", "--json"], true],
    ] as const) {
      const ran = await all.cli(words);
      expect([words.join(" "), ran.code, ran.stderr.toString()]).toEqual([words.join(" "), 0, ""]);
      judge(all, ran, words.join(" "), json);
    }
    const lines = (await all.cli(["list"])).stdout.toString().trimEnd().split("\n");
    // One line for each, as programs read it.
    expect(lines).toHaveLength(hosts.length + 4);
  });

  it.each(["t\nX-Evil: 1", "t\u001b[2J", "t u", "t\u0000", "tö", "t\r\n"])(
    "a token that no header can carry is none: %j",
    async (access_token) => {
      const all = await world(() => "x");
      store(all.home, { "https://good.example": entry({ access_token }) });
      for (const words of [
        [],
        ["--header"],
        ["--format", "env"],
        ["--format", "curl"],
        ["--format", "json"],
      ]) {
        const ran = await all.cli(["token", "https://good.example", ...words]);
        expect(ran.code).toBe(3);
        expect(ran.stdout.toString()).toBe("");
        judge(all, ran, words.join(" "), false);
      }
    },
  );

  it("a type of token that is none is not told on", async () => {
    const all = await world(() => "x");
    store(all.home, {
      "https://good.example": entry({ token_type: `Bearer x\nevil: 1 '; touch ${MADE_BY_SHELL}; '` }),
    });
    const { stdout } = await all.cli(["token", "https://good.example", "--header"]);
    expect(stdout.toString()).toBe("Authorization: Bearer t\n");
    const script = `eval "$(oidc-auth token https://good.example --format env)"; printf '%s' "$OIDC_TOKEN_TYPE"`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.stdout.toString()).toBe("Bearer");
    judge(all, ran, script, false);
  });

  it("profiles are shown as text", async () => {
    const all = await world(() => "x");
    mkdirSync(join(all.home, "oidc-auth"));
    const profiles = {
      [ALL_HOSTILE]: { host: ALL_HOSTILE, clientId: ALL_HOSTILE },
      odd: { host: { toString: 1 }, clientId: [1] },
    };
    writeFileSync(join(all.home, "oidc-auth/config.json"), JSON.stringify({ profiles }));
    for (const words of [
      ["config", "show"],
      ["config", "show", "odd"],
      ["config", "show", "--json"],
    ]) {
      const ran = await all.cli(words);
      expect(ran.code).toBe(0);
      judge(all, ran, words.join(" "), words.includes("--json"));
    }
    expect((await all.cli(["token", "odd"])).code).toBe(2);
  });

  it("a name runs nothing when the shell completes it, nor when the line is sent", async () => {
    const all = await world(() => "x");
    const evil = [
      `https://evil.example/$(touch$IFS${MADE_BY_SHELL})`,
      `https://evil.example/;touch$IFS${MADE_BY_SHELL};`,
    ];
    store(all.home, Object.fromEntries(evil.map((host) => [host, entry()])));
    expect((await all.cli(["list"])).stdout.toString().trimEnd().split("\n").sort()).toEqual(
      [...evil].sort(),
    );
    const script = `eval "$(oidc-auth completion bash)"
COMP_WORDS=(oidc-auth token ""); COMP_CWORD=2; _oidc_auth
for word in "\${COMPREPLY[@]}"; do eval "printf '%s\\n' $word"; done`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.stdout.toString().trimEnd().split("\n").sort()).toEqual([...evil].sort());
    judge(all, ran, script, false);
  });
});

describe("what other programs read of it", () => {
  it("a shell gets the token as it is, and runs nothing", { timeout: 60_000 }, async () => {
    const all = await world(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    for (const shell of ["bash", "sh"]) {
      for (const script of [
        `eval "$(oidc-auth token ${host} --format env)"; printf '%s' "$OIDC_ACCESS_TOKEN"`,
        `oidc-auth exec ${host} -- sh -c 'printf "%s" "$OIDC_ACCESS_TOKEN"'`,
        `oidc-auth exec ${host} -- sh -c 'cat "$OIDC_ACCESS_TOKEN_FILE"'`,
        `printf '%s' "$(oidc-auth token ${host})"`,
      ]) {
        const ran = await run([shell, "-c", script], all.env, { cwd: all.home });
        expect([script, ran.stderr.toString(), ran.stdout.toString()]).toEqual([script, "", HOSTILE_TOKEN]);
        expect(readdirSync(all.home)).not.toContain(MADE_BY_SHELL);
      }
    }
    const kept = `eval "$(oidc-auth token ${host} --format env)"; printf '%s %s' "$OIDC_TOKEN_TYPE" "$OIDC_EXPIRES_AT"`;
    expect((await run(["bash", "-c", kept], all.env, { cwd: all.home })).stdout.toString()).toMatch(
      /^Bearer \d+$/,
    );
  });

  it("curl sends it as one header, and git and docker take it as one value", {
    timeout: 60_000,
  }, async () => {
    const all = await world(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    const sent: (string | undefined)[] = [];
    const api = await listen(0, ({ headers }, response) => {
      sent.push(headers.authorization);
      response.end(JSON.stringify(headers));
    });
    onTestFinished(api.close);
    const script = `curl -sK <(oidc-auth token ${host} --format curl) http://127.0.0.1:${api.port}/`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.code).toBe(0);
    expect(sent).toEqual([`Bearer ${HOSTILE_TOKEN}`]);
    expect(Object.keys(JSON.parse(ran.stdout.toString())).sort()).toEqual([
      "accept",
      "authorization",
      "host",
      "user-agent",
    ]);
    const git = (await all.cli(["git-credential", "get", "--auth", host], GIT_ASKS)).stdout.toString();
    const lines = git.trimEnd().split("\n");
    expect(lines.map((line) => line.split("=")[0])).toEqual(["username", "password", "password_expiry_utc"]);
    expect(lines[1]).toBe(`password=${HOSTILE_TOKEN}`);
    expect((await all.cli(["config", "set", "evil", host])).code).toBe(0);
    const docker = await runCli(
      ["docker-credential", "get"],
      { ...all.env, OIDC_AUTH_DOCKER: "evil" },
      { input: "registry.example.org" },
    );
    expect(JSON.parse(docker.stdout.toString())).toMatchObject({ Secret: HOSTILE_TOKEN });
    const netrc = (await all.cli(["token", host, "--format", "netrc"])).stdout.toString();
    expect(netrc.trimEnd().split(/\s/)).toEqual([
      "machine",
      "127.0.0.1",
      "login",
      "oauth2",
      "password",
      HOSTILE_TOKEN,
    ]);
  });

  it("AWS gets JSON, whatever its token service says", async () => {
    const all = await world(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    const words = [
      "token",
      host,
      "--format",
      "aws",
      "--role-arn",
      "arn:aws:iam::1:role/r",
      "--sts-endpoint",
      `${host}/sts`,
    ];
    const text = ALL_HOSTILE.replaceAll("<", "");
    const fields = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(
      (one) => `<${one}>${text}</${one}>`,
    );
    all.server.answers.set("/sts", { body: `<x>${fields.join("")}</x>` });
    const good = await all.cli(words);
    expect(good.code).toBe(0);
    judge(all, good, "aws", true);
    all.server.answers.set("/sts", { status: 403, body: `<Message>${text}</Message>` });
    const refused = await all.cli(words);
    expect(refused.code).toBe(1);
    judge(all, refused, "aws", false);
  });
});
