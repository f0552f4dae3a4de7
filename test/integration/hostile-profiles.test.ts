import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command as config } from "../../src/cli/commands/config.js";
import { fastToken } from "../../src/cli/fast-token.js";
import type { CliIo } from "../../src/cli/io.js";
import { readProfiles } from "../../src/cli/profiles.js";
import { run } from "../../src/cli/run.js";
import { tempFolder } from "../support/temp-folder.js";

const PROFILES = { profiles: { prod: { host: "https://auth.example.org" } } };

function settings(content: string | object = PROFILES) {
  const path = join(tempFolder(), "config.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
  return path;
}

/** Runs a command line, without a process. */
async function cli(path: string, ...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const io: CliIo = {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: { OIDC_AUTH_CONFIG: path, OIDC_TOKEN_FILE: join(path, "../no-tokens.json") },
    signal: new AbortController().signal,
  };
  return { status: await run(argv, io), stdout: out.join(""), stderr: err.join("") };
}

describe("the file of profiles", () => {
  const kinds: [string, (path: string) => unknown, RegExp][] = [
    ["a folder", (path) => mkdirSync(path), /it is a folder/],
    ["a pipe that nobody writes to", (path) => execFileSync("mkfifo", [path]), /it is a pipe/],
    ["a device without an end", (path) => symlinkSync("/dev/zero", path), /it is a device/],
    ["a loop of links", (path) => symlinkSync(path, path), /it cannot be read \(ELOOP\)/],
    ["a terabyte", (path) => [writeFileSync(path, ""), truncateSync(path, 2 ** 40)], /larger than 1024 kB/],
    ["no JSON", (path) => writeFileSync(path, "{"), /not valid JSON/],
    ["a list", (path) => writeFileSync(path, "[]"), /must look like/],
    ["a list of profiles", (path) => writeFileSync(path, '{"profiles": []}'), /must look like/],
    ["a profile that is none", (path) => writeFileSync(path, '{"profiles": {"prod": 1}}'), /must look like/],
  ];

  it.each(kinds)(
    "that is %s is an error that says so, and is never written over",
    async (_name, make, message) => {
      const path = join(tempFolder(), "config.json");
      make(path);
      const before = lstatSync(path);
      for (const argv of [
        ["token", "prod"],
        ["config", "show"],
        ["config", "set", "x", "https://x.org"],
      ]) {
        const { status, stderr } = await cli(path, ...argv);
        expect(status).toBe(2);
        expect(stderr).toMatch(message);
        expect(stderr).toContain("OIDC_AUTH_CONFIG");
      }
      expect(fastToken(["token", "prod"], { OIDC_AUTH_CONFIG: path })).toBeUndefined();
      expect(lstatSync(path)).toMatchObject({ ino: before.ino, size: before.size });
      expect(readdirSync(join(path, ".."))).toEqual(["config.json"]);
    },
  );

  it("keeps what is not ours, its link, and nothing beside it, when a profile is set", async () => {
    const target = settings(
      '{"$schema": "mine", "profiles": {"prod": {"host": "https://a.org", "note": "kept"}}, "__proto__": {"x": 1}}',
    );
    const link = join(tempFolder(), "config.json");
    symlinkSync(target, link);
    expect(await cli(link, "config", "set", "next", "https://b.org")).toMatchObject({ status: 0 });
    const text = readFileSync(target, "utf8");
    expect(JSON.parse(text)).toMatchObject({
      $schema: "mine",
      profiles: { prod: { note: "kept" }, next: { host: "https://b.org" } },
    });
    expect(text).toContain('"__proto__"');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect([...readdirSync(join(target, "..")), ...readdirSync(join(link, ".."))]).toEqual([
      "config.json",
      "config.json",
    ]);
  });

  it("with a byte order mark is read", async () => {
    const path = settings(`\ufeff${JSON.stringify(PROFILES)}`);
    expect(await cli(path, "config", "show")).toMatchObject({
      status: 0,
      stdout: "prod: https://auth.example.org\n",
    });
  });

  it("gives no meaning to the names that objects have, with a file or without", async () => {
    const names = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf"];
    const [there, missing] = [
      settings('{"profiles": {"__proto__": {"constructor": {"host": "https://evil.org"}}}}'),
      "/nowhere/c.json",
    ];
    for (const path of [there, missing]) {
      for (const name of names) {
        expect(readProfiles({ OIDC_AUTH_CONFIG: path })[name]).toBeUndefined();
        expect(await cli(path, "token", name)).toMatchObject({
          status: 2,
          stderr: expect.stringContaining(`There is no profile ${name}`),
        });
      }
    }
  });

  it("with a profile whose members have such names is refused, by name", async () => {
    const path = settings(
      '{"profiles": {"prod": {"host": "https://a.org", "__proto__": {"tokenRoute": "/evil"}}}}',
    );
    expect(await cli(path, "token", "prod")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("__proto__"),
    });
  });

  it("that others can change is told of: it says where secrets are sent", async () => {
    const path = settings();
    chmodSync(path, 0o666);
    expect((await cli(path, "token", "prod")).stderr).toContain(
      `can be changed by others, who choose where you log in: chmod 600 ${path}`,
    );
    expect(fastToken(["token", "prod"], { OIDC_AUTH_CONFIG: path })).toBeUndefined();
    chmodSync(path, 0o644);
    expect((await cli(path, "token", "prod")).stderr).not.toContain("can be changed");
  });

  it("in a folder that cannot be written is an error that says so", async () => {
    const { status, stderr } = await cli("/proc/nowhere/config.json", "config", "set", "x", "https://x.org");
    expect(status).toBe(2);
    expect(stderr).toContain("The settings cannot be written to /proc/nowhere/config.json");
    expect(config.usage).toContain("config set");
  });
});
