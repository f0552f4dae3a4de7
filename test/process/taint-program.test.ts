import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ConfigInit } from "../../src/config.js";
import { FAULTS, STALL } from "../support/tainted-faults.js";
import {
  keepLogin,
  openFiles,
  type ProgramWorld,
  programWorld,
  type Ran,
  runProgram,
  worker,
} from "../support/tainted-program.js";
import type { Fault } from "../support/tainted-server.js";

interface Tried {
  /** What the program is called with. */
  argv(world: ProgramWorld): readonly string[];
  before?(world: ProgramWorld): Promise<unknown> | unknown;
  stdin?(world: ProgramWorld): string;
  /** Secrets that are the result, by how their name begins. */
  readonly result?: readonly string[];
  /** The requests that meet the faults; without them it is run only once. */
  readonly paths?: RegExp;
  readonly status?: number;
  /** A path that the browser asks for, maybe later than the program ends. */
  readonly until?: string;
  /** Secrets of a login that the browser must be given. */
  readonly opens?: readonly string[];
  after?(world: ProgramWorld, ran: Ran): unknown;
}

const routes = ({ server }: ProgramWorld): ConfigInit => ({ host: server.url });
const issuer = ({ server }: ProgramWorld): ConfigInit => ({ issuer: server.url, clientId: "cli" });
const kept =
  (target: (world: ProgramWorld) => ConfigInit, state: "good" | "ended") => (world: ProgramWorld) =>
    keepLogin(world, target(world), state);

const at =
  (...words: string[]) =>
  ({ server }: ProgramWorld) => {
    const [command = "", ...rest] = words;
    return [command, server.url, ...rest];
  };
const atIssuer = (...words: string[]) => {
  const [command = "", ...rest] = words;
  return at(command, "--client-id", "cli", ...rest);
};

const setVariable = (name: string, secret: string) => (world: ProgramWorld) => {
  world.env[name] = world.taint.token(secret);
};

const jobFile = (world: ProgramWorld) => {
  const path = join(world.home, "job-token");
  writeFileSync(path, world.taint.token("subject token"), { mode: 0o600 });
  world.stores.push(path);
};

const TOKEN = /^\/(auth\/v2\/)?token$/;
/** What the address of a login bears, so that its answer is known again. */
const LOGIN = ["state", "nonce"];
const ACCESS = ["access token"];
const ALL = ["access token", "refresh token", "id token"];

const format = (name: string, result: readonly string[] = ACCESS): Tried => ({
  argv: at("token", "--format", name),
  before: kept(routes, "good"),
  result,
});

/** Each command, and what it may print. */
const COMMANDS: Readonly<Record<string, Tried>> = {
  "login by device code": {
    argv: at("login", "--flow", "device", "--interactive", "--explain"),
    paths: TOKEN,
  },
  "login in the browser": {
    argv: atIssuer("login", "--flow", "code", "--interactive", "--explain"),
    paths: TOKEN,
    after: (_world, { opened }) => expect(opened).toEqual([expect.stringContaining("/authorize?")]),
  },
  "login in the browser, at the routes": {
    argv: at("login", "--flow", "code", "--interactive"),
    paths: /login$/,
    // The routes hand the verifier over in the state: that is their way, and the browser must have it.
    opens: [...LOGIN, "code_verifier"],
    after: (_world, { opened }) => expect(opened).toEqual([expect.stringContaining("/authorize?")]),
  },
  "login with a key (DPoP)": { argv: atIssuer("login", "--dpop", "--flow", "code", "--interactive") },
  "login, as JSON": {
    argv: at("login", "--json", "--flow", "device", "--interactive"),
    result: ALL,
  },
  "login at an API": {
    argv: ({ server }) => ["login", `${server.url}/api`, "--api", "--flow", "code", "--interactive"],
  },
  "login with a password in the address": {
    argv: ({ server, taint }) => {
      const password = encodeURIComponent(taint.make("password of an address"));
      return [
        "login",
        server.url.replace("://", `://user:${password}@`),
        "--flow",
        "device",
        "--interactive",
      ];
    },
  },
  "token, renewed": {
    argv: at("token", "--explain"),
    before: kept(routes, "ended"),
    result: ACCESS,
    paths: TOKEN,
  },
  "token by the client's secret": {
    argv: atIssuer("token", "--credentials", "client", "--client-secret-env", "SECRET"),
    before: setVariable("SECRET", "client secret"),
    result: ACCESS,
    paths: TOKEN,
  },
  "token by a file": {
    argv: (world) => atIssuer("token", "--credentials", `file:${join(world.home, "job-token")}`)(world),
    before: jobFile,
    result: ACCESS,
  },
  "token by a pod's file": {
    argv: (world) => atIssuer("token", "--credentials", `kubernetes:${join(world.home, "job-token")}`)(world),
    before: jobFile,
    result: ACCESS,
  },
  "token by a variable": {
    argv: atIssuer("token", "--credentials", "env:JOB"),
    before: setVariable("JOB", "subject token"),
    result: ACCESS,
  },
  "token in GitLab": {
    argv: atIssuer("token", "--credentials", "gitlab"),
    before: setVariable("OIDC_TOKEN", "subject token"),
    result: ACCESS,
  },
  "token in GitHub": {
    argv: atIssuer("token", "--credentials", "github"),
    before: (world) => {
      setVariable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request token")(world);
      world.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = `${world.server.url}/github`;
    },
    result: ACCESS,
    paths: /github$/,
  },
  "token of a file that OIDC_TOKEN_FILE names": {
    argv: at("token"),
    before: (world) => {
      const path = join(world.home, "token.json");
      const token = {
        access_token: world.taint.token("access token"),
        refresh_token: world.taint.token("refresh token"),
        expires: 1,
      };
      writeFileSync(path, JSON.stringify(token), { mode: 0o600 });
      world.stores.push(path);
      world.env["OIDC_TOKEN_FILE"] = path;
    },
    result: ACCESS,
    paths: TOKEN,
  },
  "token of a file that is damaged": {
    argv: at("token"),
    before: (world) => {
      const path = join(world.home, "token.json");
      writeFileSync(
        path,
        `{"access_token": "${world.taint.token("access token")}\\u00e4", "expires": 9000000000}`,
        { mode: 0o600 },
      );
      world.stores.push(path);
      world.env["OIDC_TOKEN_FILE"] = path;
    },
    status: 3,
  },
  "token as a header": format("header"),
  "token as JSON": format("json", ALL),
  "token for a shell": format("env"),
  "token for curl": format("curl"),
  "token for netrc": format("netrc"),
  "token for AWS": {
    argv: ({ server }) => [
      ...["token", server.url, "--format", "aws", "--role-arn", "arn:aws:iam::1:role/r"],
      ...["--sts-endpoint", `${server.url}/sts`],
    ],
    before: kept(routes, "good"),
    result: ["AWS"],
    paths: /sts$/,
  },
  exec: {
    argv: atIssuer(
      ...["exec", "--credentials", "client", "--client-secret-env", "SECRET"],
      ...["--", process.execPath, join(import.meta.dirname, "workers/exec-child.mjs")],
    ),
    before: setVariable("SECRET", "client secret"),
    paths: TOKEN,
    after: ({ taint, childReport }) => {
      const { env, ...found } = JSON.parse(readFileSync(childReport, "utf8"));
      expect(found).toEqual({ same: true, modes: ["600", "700"], beside: [] });
      const { OIDC_ACCESS_TOKEN: given, ...others } = env;
      expect(taint.named("access token")).toContain(given);
      expect(taint.leaks({ others })).toEqual([]);
    },
  },
  status: { argv: () => ["status"], before: kept(routes, "good") },
  "status of one": { argv: at("status", "--json"), before: kept(routes, "ended") },
  list: { argv: () => ["list"], before: kept(issuer, "good") },
  refresh: { argv: atIssuer("refresh", "--explain"), before: kept(issuer, "good"), paths: TOKEN },
  userinfo: { argv: at("userinfo"), before: kept(routes, "good"), paths: /userinfo$/ },
  logout: {
    argv: atIssuer("logout", "--end-session", "--json"),
    before: kept(issuer, "good"),
    paths: /revoke$/,
    until: "/end-session",
    opens: [],
    after: (_world, { opened }) =>
      expect(opened).toEqual([expect.stringContaining("/end-session?client_id=cli")]),
  },
  remove: { argv: at("remove"), before: kept(routes, "good") },
  "remove, with a password in the address": {
    argv: ({ taint }) => [
      "remove",
      `https://user:${encodeURIComponent(taint.make("password of an address"))}@x`,
    ],
  },
  clear: { argv: () => ["clear"], before: kept(routes, "good") },
  doctor: { argv: at("doctor"), before: kept(routes, "good"), paths: /device$/ },
  "config set, with a password in the address": {
    argv: ({ taint }) => {
      const password = encodeURIComponent(taint.make("password of an address"));
      return ["config", "set", "prod", `https://user:${password}@auth.example.org`];
    },
  },
  "config set, with what is no address": {
    argv: ({ taint }) => ["config", "set", "prod", `ftp://user:${taint.make("password of an address")}@x`],
    status: 2,
  },
  "wrong usage, with a password in it": {
    argv: ({ taint }) => [
      "token",
      "https://x.example.org",
      `https://user:${taint.make("password of an address")}@x`,
    ],
    status: 2,
  },
  kubernetes: {
    argv: at("kubernetes"),
    before: kept(routes, "ended"),
    result: ACCESS,
    paths: TOKEN,
  },
  "kubernetes, with the id token": {
    argv: atIssuer("kubernetes", "--id-token"),
    before: kept(issuer, "good"),
    result: ["id token"],
  },
  "git-credential get": {
    argv: ({ server }) => ["git-credential", "get", "--auth", server.url],
    before: kept(routes, "ended"),
    stdin: () => "protocol=https\nhost=git.example.org\n\n",
    result: ACCESS,
    paths: TOKEN,
  },
  "git-credential erase": {
    argv: ({ server }) => ["git-credential", "erase", "--auth", server.url],
    before: kept(routes, "good"),
    stdin: ({ taint }) =>
      `protocol=https\nhost=git.example.org\npassword=${taint.named("access token")[0]}\n\n`,
    paths: TOKEN,
  },
  "git-credential store": {
    argv: ({ server }) => ["git-credential", "store", "--auth", server.url],
    stdin: ({ taint }) => `protocol=https\nhost=git.example.org\npassword=${taint.make("password")}\n\n`,
  },
  "docker-credential get": {
    argv: () => ["docker-credential", "get"],
    before: async (world) => {
      await kept(routes, "ended")(world);
      world.env["OIDC_AUTH_DOCKER"] = "prod";
      const path = join(world.home, "profiles.json");
      writeFileSync(path, JSON.stringify({ profiles: { prod: { host: world.server.url } } }));
      world.env["OIDC_AUTH_CONFIG"] = path;
    },
    stdin: () => "registry.example.org",
    result: ACCESS,
    paths: TOKEN,
  },
  "docker-credential store": {
    argv: () => ["docker-credential", "store"],
    stdin: ({ taint }) => JSON.stringify({ ServerURL: "x", Username: "u", Secret: taint.make("password") }),
  },
  "through a proxy that does not take the password": {
    argv: at("login", "--flow", "device", "--interactive"),
    before: ({ env, taint, server }) => {
      const password = encodeURIComponent(taint.make("proxy password"));
      env["HTTP_PROXY"] = server.url.replace("://", `://user:${password}@`);
    },
    status: 1,
    after: (_world, { told }) => expect(told["stderr"]).toContain("The proxy wants a name and a password"),
  },
  ...Object.fromEntries(
    ["bash", "zsh", "fish"].map((shell) => [
      `completion ${shell}`,
      { argv: () => ["completion", shell], before: kept(routes, "good") } satisfies Tried,
    ]),
  ),
  help: { argv: () => ["--help"], before: kept(routes, "good") },
};

/** Those of the faults that a program of its own is worth being started for: the library is tried with all of them. */
const WORST = [
  "a dropped connection",
  "an answer that is no HTTP",
  "400 that repeats all, in the clear",
  "403 that repeats all as its error code",
  "500 with a text of all",
  "401 that repeats all in its challenge",
  "a redirect with all in it",
  "a proper answer, cut off, as text of a failure",
  "a proper answer that is no JSON",
  "a proper answer inside of an error",
] as const;

async function tryOnce(tried: Tried, what?: string): Promise<string[]> {
  const world = await programWorld();
  await tried.before?.(world);
  const { paths } = tried;
  const met = what === undefined || paths === undefined ? undefined : { paths, what: faultOf(what) };
  const argv = tried.argv(world);
  const stdin = tried.stdin?.(world) ?? "";
  const ran = await runProgram(world, argv, {
    fault: met,
    stdin,
    interrupt: met?.what === STALL,
    until: met ? undefined : tried.until,
  });
  if (met === undefined) {
    expect([ran.code, ran.told["stderr"]]).toEqual([tried.status ?? 0, expect.anything()]);
    await tried.after?.(world, ran);
  }
  expect(openFiles(world)).toEqual([]);
  const { taint, server } = world;
  const leaks = [
    ...taint.leaks({ stdout: ran.stdout }, tried.result),
    ...taint.leaks({ opened: ran.opened }, tried.opens ?? LOGIN),
    ...taint.leaks(ran.told),
  ];
  const problems = leaks.map(({ secret, place, excerpt }) => `${secret} in ${place}: ${excerpt}`);
  if (server.faultsLeft() > 0) problems.push("it was not met");
  return problems.map((problem) => `${what ?? "all well"}: ${problem}`);
}

const NO_ANSWER = "no answer at all";

function faultOf(name: string): Fault {
  const fault = name === NO_ANSWER ? STALL : FAULTS[name];
  if (!fault) throw new Error(`There is no fault ${name}.`);
  return fault;
}

describe("no secret leaves the program", () => {
  it.each(Object.keys(COMMANDS))("%s", { timeout: 60_000 }, async (name) => {
    const tried = COMMANDS[name];
    if (!tried) throw new Error(`There is no command ${name}.`);
    const problems = await tryOnce(tried);
    const faults = tried.paths ? [...WORST, NO_ANSWER] : [];
    // As many at once as there are cores to run them.
    for (let first = 0; first < faults.length; first += 3) {
      const some = faults.slice(first, first + 3).map((what) => tryOnce(tried, what));
      problems.push(...(await Promise.all(some)).flat());
    }
    expect(problems).toEqual([]);
  });
});

describe("the search", () => {
  it("finds what a program lets out in whatever way", async () => {
    const world = await programWorld();
    const { taint, server, env, stores } = world;
    env["LEAK"] = taint.make("a secret");
    env["ADDRESS"] = server.url;
    const open = join(world.home, "settings.json");
    const ran = await runProgram(world, [], { program: worker("leaky-program.mjs") });
    const { stdout, opened, told } = ran;
    const places = new Set(taint.leaks({ stdout, opened, ...told }).map(({ place }) => place));
    expect([...places].sort()).toEqual(Object.keys({ stdout, opened, ...told }).sort());
    const { files } = told;
    expect(Object.keys(files as object).sort()).toEqual([open, join(world.home, "tmp/draft")]);
    chmodSync(open, 0o644);
    stores.push(open);
    expect(openFiles(world)).toEqual([open]);
  });
});
