import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CliIo } from "../../src/cli/io.js";
import { nearName } from "../../src/cli/near-name.js";
import { COMMANDS } from "../../src/cli/registry.js";
import { run } from "../../src/cli/run.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer, testToken } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { startApi } from "../support/api.js";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";

const HOST = "https://auth.example.org";

/** What somebody meets who uses the program for the first time: each message says what is so, and what to do. */

function world() {
  const home = tempFolder();
  const path = join(home, "tokens.json");
  const settings = join(home, "config.json");
  const cli = async (
    argv: readonly string[],
    { env = {}, input = "" }: { env?: object; input?: string } = {},
  ) => {
    const [out, err]: [string[], string[]] = [[], []];
    const io: CliIo = {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      env: { HOME: home, OIDC_TOKEN_FILE: path, OIDC_AUTH_CONFIG: settings, ...env },
      signal: new AbortController().signal,
      stdin: [input] as unknown as AsyncIterable<string>,
    };
    return { status: await run(argv, io), stdout: out.join(""), stderr: err.join("") };
  };
  const profiles = (all: object) =>
    writeFileSync(settings, JSON.stringify({ profiles: all }), { mode: 0o600 });
  return { cli, store: new TokenStore({ path }), profiles };
}

const nowhere = async () => (await startApi(() => [404, {}, "Not Found"])).url;

async function authServer() {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(() => server.close());
  return server;
}

describe("an OpenID provider without --client-id", () => {
  it("is told to be one by the login, which asks for its document after the routes alone", async () => {
    const { cli } = world();
    const { issuer, requests } = await startIssuer();
    const { status, stderr } = await cli([issuer, "--interactive"]);
    expect(status).toBe(1);
    expect(stderr).toContain(`The login route (${issuer}/auth/v2/login) answered 404.`);
    expect(stderr).toContain(
      `What to do: ${issuer} is an OpenID provider, without py-oidc-auth routes. Say who you are there: --client-id ID, in code { issuer, clientId }.`,
    );
    expect(requests.at(-1)).toBe("GET /.well-known/openid-configuration");
  });

  it.each<[string, readonly string[]]>([
    ["the login", ["--interactive"]],
    ["the device login", ["--interactive", "--flow", "device"]],
  ])("may be one, says %s, where that cannot be known", async (_which, words) => {
    const { cli } = world();
    const { status, stderr } = await cli([await nowhere(), ...words]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      "What to do: There are no py-oidc-auth routes there. If it is an OpenID provider (Keycloak, Entra ID, …), say who you are: --client-id ID, in code { issuer, clientId }. Otherwise check the host, its path, and the routes",
    );
  });

  it("a document that is none makes no provider", async () => {
    const { cli } = world();
    const site = await startApi(({ path }) =>
      path.includes("well-known") ? [200, {}, "<h1>Hi</h1>"] : [404],
    );
    expect((await cli([site.url, "--interactive"])).stderr).toContain("If it is an OpenID provider");
  });

  it("fails at the doctor's, with the remedy", async () => {
    const { cli } = world();
    const { issuer } = await startIssuer();
    const { status, stdout } = await cli(["doctor", issuer]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^FAIL {2}The login route .* answered 404\.\n {6}http\S+ is an OpenID provider.*--client-id ID/m,
    );
    expect(stdout).not.toMatch(/^ok .*(py-oidc-auth routes|login page)/m);
    expect((await cli(["doctor", issuer, "--client-id", "cli"])).stdout).toMatch(
      /^ok {4}http\S+ answers, with its discovery document/m,
    );
  });

  it("has a doctor who says of what is neither that it may be one", async () => {
    const { cli } = world();
    const { status, stdout } = await cli(["doctor", await nowhere()]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}The login route .*\n {6}There are no py-oidc-auth routes there/m);
  });
});

describe("the doctor of a server with the routes", () => {
  it.each<[string, number, string, string]>([
    ["login", 404, "warn", "ok"],
    ["login", 502, "fail", "ok"],
    ["device", 404, "ok", "warn"],
  ])("whose %s route answers %i", async (route, status, code, device) => {
    const { cli } = world();
    const server = await authServer();
    server.fail(route as "login" | "device", { status }, 5);
    const findings = JSON.parse((await cli(["doctor", server.host, "--json"])).stdout) as {
      check: string;
      state: string;
    }[];
    const states = Object.fromEntries(findings.map(({ check, state }) => [check, state]));
    expect(states).toMatchObject({ server: "ok", "code-flow": code, "device-flow": device });
  });
});

describe("a login that is stored under another name", () => {
  const ISSUER = "https://login.example.org/realms/x";

  it.each<[string, string]>([
    [`${ISSUER}?client_id=cli`, ": add --client-id cli"],
    [`${ISSUER}?client_id=cli#work`, ": add --client-id cli --account work"],
    [`${ISSUER}?client_id=cli&scope=a+b`, ": add --client-id cli --scopes 'a b'"],
    [`${ISSUER}#work`, ": add --account work"],
    // No option says these: their names do.
    [`${ISSUER}?client_id=ci&grant=client_credentials`, ""],
    ["https://login.example.org/realms/y?client_id=cli", ""],
  ])("%s is named by status and logout", async (name, words) => {
    const { cli, store } = world();
    await store.put(name, testToken());
    await store.put("https://login.example.org.evil.example?client_id=x", testToken());
    const there = `There is ${name}${words ? `${words}.` : `: oidc-auth status '${name}'`}\n`;
    const logIn = words ? "" : ` Log in: oidc-auth ${ISSUER}`;
    expect(await cli(["status", ISSUER])).toEqual({
      status: 1,
      stdout: "",
      stderr: `No login for ${ISSUER} is stored.${logIn}\n${there}`,
    });
    expect(await cli(["logout", ISSUER])).toEqual({
      status: 0,
      stdout: `No login for ${ISSUER} is stored.\n`,
      stderr: there,
    });
  });

  it("is found as status was told to find it", async () => {
    const { cli, store } = world();
    await store.put(`${ISSUER}?client_id=cli&scope=a+b#work`, testToken());
    const { stderr } = await cli(["status", ISSUER]);
    expect(stderr).toContain(": add --client-id cli --scopes 'a b' --account work.");
    const words = ["--client-id", "cli", "--scopes", "a b", "--account", "work"];
    expect(await cli(["status", ISSUER, ...words])).toMatchObject({ status: 0, stderr: "" });
  });

  it.each(["token", "exec", "refresh", "userinfo"])("is named by %s, before a login is", async (command) => {
    const { cli, store } = world();
    await store.put(`${ISSUER}?client_id=cli`, testToken());
    const { status, stderr } = await cli([command, ISSUER, ...(command === "exec" ? ["--", "true"] : [])]);
    expect(status).toBe(3);
    expect(stderr).toContain(`What to do: There is ${ISSUER}?client_id=cli: add --client-id cli.\n`);
    expect(stderr).toMatch(
      /^(Add --login, so that it asks you; or log in first|Log in( first)?): oidc-auth/m,
    );
  });

  it("is another one than that which was named, and has ended", async () => {
    const { cli, store } = world();
    const now = Math.floor(Date.now() / 1000);
    // Too little is left to use it, and enough for the store to keep it.
    const ending = new Token({ accessToken: "ending", issuedAt: now - 3600, expiresAt: now + 55 });
    await store.put(ISSUER, ending);
    const { status, stderr } = await cli(["token", ISSUER]);
    expect(status).toBe(3);
    expect(stderr).toContain("(the stored login has expired), and `token` asks nobody.");
    expect(stderr).not.toContain("There is");
  });

  it("is not told to be had by options where some were given", async () => {
    const { cli, store } = world();
    await store.put(`${ISSUER}?client_id=cli`, testToken());
    const { stderr } = await cli(["status", ISSUER, "--client-id", "other"]);
    expect(stderr).toBe(
      `No login for ${ISSUER} is stored. Log in: oidc-auth ${ISSUER} --client-id other\nThere is ${ISSUER}?client_id=cli: oidc-auth status '${ISSUER}?client_id=cli'\n`,
    );
  });

  it("is no list without end", async () => {
    const { cli, store } = world();
    for (let n = 0; n < 12; n++) await store.put(`${ISSUER}?client_id=c${n}`, testToken());
    const lines = (await cli(["status", ISSUER])).stderr.trim().split("\n");
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe("There are 2 more: oidc-auth list");
  });

  it("logout without one asks no server, and names no page", async () => {
    const { cli } = world();
    const { issuer, requests } = await startIssuer();
    expect(await cli(["logout", issuer])).toEqual({
      status: 0,
      stdout: `No login for ${issuer} is stored.\n`,
      stderr: "",
    });
    expect(JSON.parse((await cli(["logout", issuer, "--json"])).stdout)).toEqual({
      removed: false,
      revoked: false,
    });
    expect(requests).toEqual([]);
  });
});

describe("a login by the name that list shows", () => {
  it("is told of, and revoked, at a provider", async () => {
    const { cli, store } = world();
    const { issuer, count } = await startIssuer();
    await issuerWorld({ issuer, clientId: "cli" }).login({ store });
    const name = (await cli(["list"])).stdout.trim();
    expect(name).toBe(`${issuer}?client_id=cli`);
    const { status, stdout } = await cli(["status", name]);
    expect({ status, server: /^Server: +(.*)$/m.exec(stdout)?.[1] }).toEqual({ status: 0, server: name });
    const out = await cli(["logout", name]);
    expect(out).toMatchObject({ status: 0, stderr: "" });
    expect(out.stdout).toMatch(/^Forgot the login for .*\nIts tokens were revoked\.\n/);
    expect(count("/token/revocation")).toBeGreaterThan(0);
    expect((await cli(["status", name])).stderr).toBe(`No login for ${name} is stored.\n`);
    expect((await cli(["logout", name])).stdout).toBe(`No login for ${name} is stored.\n`);
  });

  it("with an account, at the routes", async () => {
    const { cli, store } = world();
    const { host } = await authServer();
    await store.put(host, await logIn(host, store), { account: "work" });
    const name = `${host}#work`;
    expect((await cli(["list"])).stdout.split("\n")).toContain(name);
    expect((await cli(["status", name, "--json"])).stdout).toContain(`"server": "${name}"`);
    expect((await cli(["logout", name])).stdout).toMatch(/^Forgot the login for .*#work\./);
    expect((await cli(["list"])).stdout).toBe(`${host}\n`);
  });

  it("that no options say is not revoked, and told how to be forgotten", async () => {
    const { cli, store } = world();
    const name = "https://login.example.org?client_id=ci&grant=client_credentials";
    await store.put(name, testToken());
    expect(await cli(["status", name])).toMatchObject({ status: 0 });
    const { status, stderr } = await cli(["logout", name]);
    expect(status).toBe(1);
    expect(stderr).toContain(`Forget it without telling the server: oidc-auth remove '${name}'`);
    expect((await cli(["remove", name])).stdout).toMatch(/^Removed/);
  });
});

describe("a mistyped command", () => {
  it.each([
    [["tokn", "https://auth.example.org"], "tokn", "token"],
    [["stauts"], "stauts", "status"],
    [["exce", "HOST", "--", "true"], "exce", "exec"],
    [["Kubernets", "HOST", "--id-token"], "Kubernets", "kubernetes"],
    [["help"], "help", "--help"],
    [["prdo"], "prdo", "prod"],
  ])("%j", async (argv, word, meant) => {
    const { cli, profiles } = world();
    profiles({ prod: { host: "https://auth.example.org" } });
    expect(await cli(argv)).toEqual({
      status: 2,
      stdout: "",
      stderr: `oidc-auth: there is no command or profile ${word} (did you mean ${meant}?). See oidc-auth --help.\n`,
    });
  });

  it.each([[["somewhere"]], [["somewhere", "https://auth.example.org"]]])(
    "%j is near none: it is told how to make a profile",
    async (argv) => {
      const { cli } = world();
      const { status, stderr } = await cli(argv);
      expect(status).toBe(2);
      expect(stderr).toMatch(
        /^oidc-auth: There is no profile somewhere\.\nWhat to do: Make one: oidc-auth config set/,
      );
    },
  );

  it("a mistyped profile behind a command", async () => {
    const { cli, profiles } = world();
    profiles({ prod: { host: "https://auth.example.org" } });
    expect((await cli(["status", "prdo"])).stderr).toContain(
      "What to do: Did you mean prod? If not, make one:",
    );
  });

  it("a profile comes before what it is near to", async () => {
    const { cli, profiles } = world();
    profiles({ lost: { host: "https://auth.example.org" } });
    expect((await cli(["lost", "--no-interactive"])).stderr).toContain("A login at https://auth.example.org");
  });

  it.each([
    ["list", "list"],
    ["lsit", "list"],
    ["lis", "list"],
    ["lists", "list"],
    ["lost", "list"],
    ["lots", undefined],
    ["git-credentials", "git-credential"],
    ["dcotro", "doctor"],
    ["xyz", undefined],
    ["", undefined],
  ])("%s means %s", (word, meant) => {
    expect(nearName(word, Object.keys(COMMANDS))).toBe(meant);
  });
});

describe("a command that asks nobody says so itself", () => {
  const kubectl = JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    spec: { interactive: false },
  });

  it.each<[readonly string[], string, string, object?]>([
    [
      ["token", HOST],
      "`token` asks nobody",
      `Add --login, so that it asks you; or log in first: oidc-auth ${HOST}`,
    ],
    [
      ["exec", HOST, "--", "true"],
      "`exec` asks nobody",
      `Add --login, so that it asks you; or log in first: oidc-auth ${HOST}`,
    ],
    [["token", "prod"], "`token` asks nobody", "or log in first: oidc-auth login prod"],
    [["userinfo", "prod"], "`userinfo` asks nobody", "Log in first: oidc-auth login prod"],
    [
      ["kubernetes", "prod"],
      "kubectl says that nobody is there",
      "Log in first: oidc-auth login prod",
      { KUBERNETES_EXEC_INFO: kubectl },
    ],
  ])("%j", async (argv, why, next, env = {}) => {
    const { cli, profiles } = world();
    profiles({ prod: { host: HOST } });
    const { status, stdout, stderr } = await cli(argv, { env: { INTERACTIVE_SESSION: "1", ...env } });
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain(
      `oidc-auth: A login at ${HOST} is needed (no login is stored for it), and ${why}.\nWhat to do: `,
    );
    expect(stderr).toContain(`${next}\nWhere nobody sits in front of it, do one of these:`);
    expect(stderr).not.toContain("the caller says so");
  });

  it("docker-credential, to docker", async () => {
    const { cli, profiles } = world();
    profiles({ prod: { host: HOST } });
    const asked = { env: { OIDC_AUTH_DOCKER: "prod" }, input: "registry.example.org" };
    expect((await cli(["docker-credential", "get"], asked)).stderr).toBe(
      `oidc-auth: A login at ${HOST} is needed (no login is stored for it), and \`docker-credential\` asks nobody. Log in: oidc-auth login prod\n`,
    );
  });

  it("refresh, of a login that the server has ended", async () => {
    const { cli, store, profiles } = world();
    const server = await authServer();
    profiles({ prod: { host: server.host } });
    await logIn(server.host, store);
    await server.revokeAll();
    const { status, stderr } = await cli(["refresh", "prod"]);
    expect(status).toBe(3);
    expect(stderr).toContain("and `refresh` asks nobody.\nWhat to do: Log in first: oidc-auth login prod\n");
    expect((await cli(["refresh", "prod"])).stderr).toContain("What to do: Log in: oidc-auth login prod\n");
  });

  it("also in what --explain tells", async () => {
    const { stderr } = await world().cli(["token", HOST, "--explain"], { env: { INTERACTIVE_SESSION: "1" } });
    expect(stderr).toContain("oidc-auth: Nobody can be asked: `token` asks nobody.\n");
    expect(stderr).not.toContain("the caller says so");
  });

  it("git-credential tells the login, too, and docker-credential a profile that does not exist", async () => {
    const { cli } = world();
    const asked = { input: "protocol=https\nhost=git.example.org\n\n" };
    const git = await cli(["git-credential", "get", "--auth", HOST, "--no-interactive"], asked);
    expect(git).toMatchObject({ status: 0, stdout: "" });
    expect(git.stderr).toMatch(new RegExp(` Log in: oidc-auth ${HOST}\n$`));
    const docker = (env: object) => cli(["docker-credential", "get"], { env, input: "registry.example.org" });
    expect((await docker({ OIDC_AUTH_DOCKER: "prdo" })).stderr).toContain("names does not exist");
    expect((await docker({})).stderr).toContain("name a profile in OIDC_AUTH_DOCKER");
  });

  it("but what the caller did say is told as the caller's", async () => {
    const { cli } = world();
    const { status, stderr } = await cli(["token", HOST, "--login", "--no-interactive"]);
    expect(status).toBe(3);
    expect(stderr).toContain("the caller says so");
  });
});

describe("kubernetes --id-token", () => {
  it("says of the routes that they give none", async () => {
    const { cli, store } = world();
    const { host } = await authServer();
    await logIn(host, store);
    expect(await cli(["kubernetes", host, "--id-token"])).toEqual({
      status: 2,
      stdout: "",
      stderr:
        "oidc-auth: --id-token: servers with the py-oidc-auth routes give none; name the OpenID provider itself, with --client-id ID. See oidc-auth kubernetes --help.\n",
    });
  });

  it("says of a provider which scope is missing", async () => {
    const { cli, store } = world();
    await store.put("https://login.example.org?client_id=cli", testToken());
    const { stderr } = await cli([
      "kubernetes",
      "https://login.example.org",
      "--client-id",
      "cli",
      "--id-token",
    ]);
    expect(stderr).toContain("https://login.example.org gave none; ask for the scope openid");
  });
});

describe("git-credential over http", () => {
  const asked = { input: "protocol=http\nhost=git.example.org\n\n" };

  it("gives nothing, and says so", async () => {
    const { cli } = world();
    expect(await cli(["git-credential", "get", "--auth", "https://auth.example.org"], asked)).toEqual({
      status: 0,
      stdout: "",
      stderr: "oidc-auth: no token over http: git.example.org (use https, or --allow-insecure-host)\n",
    });
  });

  it("has nothing to say of what it was not asked for", async () => {
    const { cli } = world();
    for (const action of ["store", "erase"])
      expect(await cli(["git-credential", action, "--auth", "https://auth.example.org"], asked)).toEqual({
        status: 0,
        stdout: "",
        stderr: "",
      });
  });
});

describe("the name that list shows of a login", () => {
  it("means that login, for every command: never another one of the same host", async () => {
    const { cli, store } = world();
    await store.put(HOST, testToken({ accessToken: "unnamed" }));
    await store.put(`${HOST}#bob`, testToken({ accessToken: "of-bob" }));
    await store.put(`${HOST}?client_id=my-cli`, testToken({ accessToken: "of-my-cli" }));
    const tokenOf = async (name: string) => (await cli(["token", name])).stdout.trim();
    expect(await tokenOf(HOST)).toBe("unnamed");
    expect(await tokenOf(`${HOST}#bob`)).toBe("of-bob");
    expect(await tokenOf(`${HOST}?client_id=my-cli`)).toBe("of-my-cli");
    expect(await tokenOf(`${HOST}?client_id=another`)).toBe("");
  });

  it("that no option can say is an error that tells how to forget it", async () => {
    const { cli, store } = world();
    const name = `${HOST}?client_id=ci&grant=client_credentials`;
    await store.put(name, testToken());
    const { status, stderr } = await cli(["token", name]);
    expect(status).toBe(1);
    expect(stderr).toContain(`oidc-auth remove '${name}'`);
  });
});

describe("the login that a command tells to make", () => {
  it("is the one that was asked for, with all that was said, in the store that was named", async () => {
    const { cli } = world();
    await cli(["config", "set", "prod", "https://login.example.org", "--client-id", "cli"]);
    const words = ["--resource", "https://api.example.org", "--account", "bob", "--store", "/x/tokens.json"];
    const { stderr } = await cli(["token", "prod", ...words]);
    expect(stderr).toContain(`log in first: oidc-auth login prod ${words.join(" ")}`);
  });

  it("says nothing of INTERACTIVE_SESSION where the command asks nobody", async () => {
    const { cli } = world();
    expect((await cli(["token", "https://auth.example.org"])).stderr).not.toContain("INTERACTIVE_SESSION");
  });
});

describe("a profile", () => {
  it("keeps the time that requests have, and takes no --store", async () => {
    const { cli } = world();
    await cli(["config", "set", "slow", "https://auth.example.org", "--request-timeout", "90"]);
    expect(JSON.parse((await cli(["config", "show", "slow", "--json"])).stdout)).toEqual({
      slow: { host: "https://auth.example.org", requestTimeout: 90 },
    });
    const refused = await cli(["config", "set", "x", "https://auth.example.org", "--store", "/x.json"]);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("--app-name") });
  });
});

describe("a word that is missing or too much", () => {
  it.each([
    [["completion"], "it is used as: oidc-auth completion bash|zsh|fish"],
    [["git-credential"], "it is used as: oidc-auth git-credential get|store|erase --auth HOST [options]"],
    [["docker-credential"], "it is used as: oidc-auth docker-credential get|store|erase|list"],
    [
      ["exec", HOST, "python", "job.py"],
      "python is too much: a program stands behind --, as in exec HOST [options] -- PROGRAM [ARGUMENTS...]",
    ],
    [["exec", HOST, "python", "--", "job.py"], "python is too much. "],
    [["exec", HOST, "--", ""], "a PROGRAM is missing behind --"],
    [["exec", HOST, "--env", "A B", "--", "true"], "A B is no name of a variable"],
    [["config", "path", "more"], "more is too much"],
    [["config", "show", "prod", "more"], "more is too much"],
    [["config", "remove", "prod", "more"], "more is too much"],
    [["token", HOST, "--client-id", "--dpop"], "needs a value; one that begins with - is joined to it by ="],
    [["token", HOST, "--header", "--format", "json"], "--header and --format json cannot be given together"],
  ])("%j", async (argv, said) => {
    const { status, stdout, stderr } = await world().cli(argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/See oidc-auth \S+ --help\.\n$/);
  });
});

describe("config set", () => {
  it.each([
    ["--account", ""],
    ["--app-name", "../x"],
  ])("tells at once of %s %j, which nothing takes", async (option, value) => {
    const { cli } = world();
    expect(await cli(["config", "set", "prod", HOST, option, value])).toMatchObject({ status: 2 });
    expect((await cli(["config", "show"])).stdout).toBe("");
  });

  it("keeps the whole path of a file that was named from here", async () => {
    const { cli } = world();
    await cli(["config", "set", "prod", HOST, "--ca-file", "ca.pem"]);
    const { stdout } = await cli(["config", "show", "prod", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ prod: { caFile: resolve("ca.pem") } });
  });
});

describe("one of several accounts", () => {
  it("is named wherever its login is told of", async () => {
    const { cli, store } = world();
    const { host } = await authServer();
    await store.put(host, await logIn(host, store), { account: "work" });
    const other = [host, "--account", "home"];
    const work = [host, "--account", "work"];
    expect((await cli(["status", ...other])).stderr).toContain(
      `No login for ${host}#home is stored. Log in: `,
    );
    expect((await cli(["logout", ...other])).stdout).toBe(`No login for ${host}#home is stored.\n`);
    expect((await cli(["remove", ...other])).stdout).toBe(`No login for ${host}#home was stored.\n`);
    expect((await cli(["status", ...work])).stdout).toMatch(new RegExp(`^Server: +${host}#work\n`));
    expect((await cli(["status", ...work, "--json"])).stdout).toContain(`"server": "${host}#work"`);
    expect((await cli(["logout", ...work])).stdout).toContain(`Forgot the login for ${host}#work.\n`);
  });
});

describe("the login of a client that has a secret", () => {
  it("is renewed, asked about and revoked with it", async () => {
    const secret = "secret-of-a-test";
    const { issuer, count } = await startIssuer({
      clients: [
        {
          ...NATIVE,
          client_id: "own",
          client_secret: secret,
          token_endpoint_auth_method: "client_secret_basic",
        },
      ],
    });
    const { cli, store } = world();
    await issuerWorld({ issuer, clientId: "own", clientSecret: secret }).login({ store });
    const at = [issuer, "--client-id", "own", "--client-secret-env", "SECRET"];
    const env = { env: { SECRET: secret } };
    expect(await cli(["refresh", issuer, "--client-id", "own"])).toMatchObject({ status: 1 });
    expect(await cli(["refresh", ...at], env)).toMatchObject({ status: 0, stderr: "" });
    expect(await cli(["userinfo", ...at], env)).toMatchObject({ status: 0, stderr: "" });
    expect((await cli(["logout", ...at], env)).stdout).toContain("Its tokens were revoked.");
    expect(count("/token/revocation")).toBeGreaterThan(0);
  });
});

it("a command that shells would read otherwise is in quotes", async () => {
  const { stderr } = await world().cli(["status", "https://[::1]:8443"]);
  expect(stderr).toBe("No login for https://[::1]:8443 is stored. Log in: oidc-auth 'https://[::1]:8443'\n");
});
