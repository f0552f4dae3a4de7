import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.js";

const HOST = "https://auth.example.org";

function login(...argv: string[]) {
  const command = parseArguments(argv);
  if (command.name !== "login") throw new Error(`It is ${command.name}.`);
  return command;
}

describe("the reference's arguments", () => {
  it("alone, a host", () => {
    expect(login(HOST)).toEqual({
      name: "login",
      host: HOST,
      stores: { appName: undefined, json: false },
      login: {
        loginRoute: undefined,
        tokenRoute: undefined,
        deviceRoute: undefined,
        redirectPorts: undefined,
        force: false,
        timeout: undefined,
        flow: undefined,
        interactive: undefined,
        browser: true,
        allowInsecureHost: false,
        clientId: undefined,
        resource: undefined,
        api: false,
        audience: undefined,
        scopes: undefined,
      },
    });
  });

  it.each<[string[], object]>([
    [["-l", "/a"], { loginRoute: "/a" }],
    [["--login-route", "/a"], { loginRoute: "/a" }],
    [["-t", "/a"], { tokenRoute: "/a" }],
    [["--token-route=/a"], { tokenRoute: "/a" }],
    [["-d", "/a"], { deviceRoute: "/a" }],
    [["-f"], { force: true }],
    [["--timeout", "1.5"], { timeout: 1.5 }],
    [["--flow", "code"], { flow: "code" }],
    [["--interactive"], { interactive: true }],
    [["--no-interactive"], { interactive: false }],
    [["--no-browser"], { browser: false }],
    [["--allow-insecure-host"], { allowInsecureHost: true }],
  ])("%j", (argv, expected) => {
    expect(login(HOST, ...argv).login).toMatchObject(expected);
    expect(login(...argv, HOST).login).toMatchObject(expected);
  });

  it.each([
    [["-p", "53100", "53101", HOST]],
    [[HOST, "-p", "53100", "53101"]],
    [[HOST, "--ports", "53100,53101"]],
    [[HOST, "-p", "53100", "-p", "53101"]],
    [["--ports=53100", "-p", "53101", HOST]],
  ])("ports in %j", (argv) => {
    expect(login(...argv)).toMatchObject({ host: HOST, login: { redirectPorts: [53_100, 53_101] } });
  });

  it.each<[string[], object]>([
    [["--list"], { name: "list" }],
    [["--clear", "--app-name", "x"], { name: "clear", stores: { appName: "x" } }],
    [["--remove", HOST, "--json"], { name: "remove", host: HOST, stores: { json: true } }],
    [["--help", "--list"], { name: "help" }],
    [["-h"], { name: "help" }],
    [["-V"], { name: "version" }],
  ])("%j", (argv, expected) => {
    expect(parseArguments(argv)).toMatchObject(expected);
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
    [[HOST, "--flow", "magic"], "--flow takes auto, device or code (it is magic)"],
    [[HOST, "-p", "0"], "--ports takes whole numbers from 1 to 65535 (it is 0)"],
    [[HOST, "-p", "70000"], "(it is 70000)"],
    [[HOST, "-p"], "--ports needs at least one port"],
    [["-p", HOST], "--ports needs at least one port"],
    [[HOST, "--force=yes"], "--force"],
  ])("%j", (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(
      expect.objectContaining({ name: "UsageError", message: expect.stringContaining(message) }),
    );
  });
});
