import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CliIo } from "../../src/cli/io.js";
import { nearName } from "../../src/cli/near-name.js";
import { COMMANDS } from "../../src/cli/registry.js";
import { run } from "../../src/cli/run.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer, testToken } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { startApi } from "../support/api.js";
import { startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";

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
      "What to do: Did you mean prod? Else: Make one:",
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

