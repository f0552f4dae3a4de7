import { describe, expect, it } from "vitest";
import { command as loginCommand } from "../../src/cli/commands/login.js";
import type { CliIo } from "../../src/cli/io.js";
import { parseCommand } from "../../src/cli/parse.js";
import { translate } from "../../src/cli/reference.js";
import { resolveTarget } from "../../src/cli/target.js";

const HOST = "https://auth.example.org";

const io: CliIo = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: { XDG_CACHE_HOME: "/tmp/none", XDG_CONFIG_HOME: "/tmp/none" },
  signal: new AbortController().signal,
};

/** What a command line of the reference's form comes to: the settings of the server, and the options of the login. */
async function login(...argv: string[]) {
  const translated = translate(argv);
  expect(translated.name).toBe("login");
  const input = parseCommand(loginCommand, translated.argv);
  const { config, options } = await resolveTarget(input.positionals[0] ?? "", input, io);
  return { values: input.values, config, settings: config.settings, options };
}

describe("the reference's arguments", () => {
  it("alone, a host", async () => {
    const { config, values, options } = await login(HOST);
    expect(config.host).toBe(HOST);
    expect(values).toEqual({});
    expect(options).toMatchObject({ openBrowser: true });
    expect(options.interactive).toBeUndefined();
  });

  it.each<[string[], object]>([
    [["--login-route", "/a"], { settings: { loginUrl: new URL(`${HOST}/a`) } }],
    [["-l", "/a"], { settings: { loginUrl: new URL(`${HOST}/a`) } }],
    [["-t", "/a"], { settings: { tokenUrl: new URL(`${HOST}/a`) } }],
    [["--token-route=/a"], { settings: { tokenUrl: new URL(`${HOST}/a`) } }],
    [["-d", "/a"], { settings: { deviceUrl: new URL(`${HOST}/a`) } }],
    [["-f"], { values: { force: true } }],
    [["--json"], { values: { json: true } }],
    [["--app-name", "x"], { values: { "app-name": "x" } }],
    [["--timeout", "1.5"], { options: { timeout: 1.5 } }],
    [["--flow", "code"], { options: { flow: "code" } }],
    [["--interactive"], { options: { interactive: true } }],
    [["--no-interactive"], { options: { interactive: false } }],
    [["--no-browser"], { options: { openBrowser: false } }],
    [["--allow-insecure-host"], { settings: { allowInsecureHost: true } }],
    [["--account", "x"], { options: { account: "x" } }],
    [["--client-id", "x"], { settings: { kind: "issuer", issuer: HOST, clientId: "x" } }],
    [["--client-id", "x", "--scopes", "a b"], { settings: { scopes: ["a", "b"] } }],
    [["--client-id", "x", "--dpop"], { settings: { dpop: true } }],
    [["--audience", "x"], { settings: { kind: "issuer", audience: "x" } }],
    [["--api"], { settings: { kind: "issuer", issuer: undefined, resource: HOST } }],
  ])("%j", async (argv, expected) => {
    expect(await login(HOST, ...argv)).toMatchObject(expected);
    expect(await login(...argv, HOST)).toMatchObject(expected);
  });

  it.each([
    [["-p", "53100", "53101", HOST]],
    [[HOST, "-p", "53100", "53101"]],
    [[HOST, "--ports", "53100,53101"]],
    [[HOST, "-p", "53100", "-p", "53101"]],
    [["--ports=53100", "-p", "53101", HOST]],
  ])("ports in %j", async (argv) => {
    expect(await login(...argv)).toMatchObject({ settings: { host: HOST, redirectPorts: [53_100, 53_101] } });
  });

  it.each<[string[], object]>([
    [["--list"], { name: "list", argv: [] }],
    [["--clear", "--app-name", "x"], { name: "clear", argv: ["--app-name=x"] }],
    [["--remove", HOST, "--json"], { name: "remove", argv: [HOST, "--json"] }],
    [["--help", "--list"], { name: "help" }],
    [["-h"], { name: "help" }],
    [["-V"], { name: "version" }],
  ])("%j", (argv, expected) => {
    expect(translate(argv)).toMatchObject(expected);
  });
});

describe("wrong usage names the argument", () => {
  it.each([
    [[], "a HOST is missing"],
    [[HOST, "other"], "other is too much"],
    [["--list", HOST], `${HOST} is too much`],
    [["--list", "--clear"], "--list and --clear"],
    [["--remove"], "--remove"],
    [[HOST, "--nonsense"], "--nonsense"],
    [[HOST, "--timeout", "soon"], "--timeout takes a number of seconds above 0 (it is soon)"],
    [[HOST, "--timeout", "-1"], "--timeout"],
    [[HOST, "--timeout=0"], "--timeout"],
    [[HOST, "--flow", "magic"], "--flow takes auto, device, code (it is magic)"],
    [[HOST, "-p", "0"], "--ports takes whole numbers from 1 to 65535 (it is 0)"],
    [[HOST, "-p", "70000"], "(it is 70000)"],
    [[HOST, "-p"], "--ports needs at least one port"],
    [["-p", HOST], "--ports needs at least one port"],
    [[HOST, "--force=yes"], "--force"],
  ])("%j", async (argv, message) => {
    await expect((async () => login(...argv))()).rejects.toThrow(
      expect.objectContaining({ name: "UsageError", message: expect.stringContaining(message) }),
    );
  });
});
