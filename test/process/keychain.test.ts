import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { storeContract } from "../../src/testing/index.js";
import { tempFolder } from "../support/temp-folder.js";

const worker = (name: string) => join(import.meta.dirname, "workers", `${name}.mjs`);
const START = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";

/** The newest daemon of that name is the one that this session has started. */
const DAEMON = "$(pgrep -n -x gnome-keyring-d)";
const END = `kill -KILL ${DAEMON}`;

/** Runs the worker, in a session of its own where `before` starts what it needs. */
function run(folder: string, before: string | undefined, ...args: string[]): Record<string, unknown> {
  return start(before, folder, worker("keychain"), join(folder, "store.json"), ...args);
}

function start(
  before: string | undefined,
  folder: string,
  script: string,
  ...args: string[]
): Record<string, unknown> {
  const command = [process.execPath, script, ...args];
  const inSession = ["dbus-run-session", "--", "sh", "-c", `${before}; "$@"; ${END}`, "sh", ...command];
  const [program = "", ...rest] = before === undefined ? command : inSession;
  const { stdout, stderr } = spawnSync(program, rest, {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_RUNTIME_DIR: folder, LC_ALL: "C.UTF-8" },
    encoding: "utf8",
    timeout: 20_000,
  });
  if (stdout === "") throw new Error(`The worker said nothing: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("without a keychain", () => {
  it("it is store_unavailable, with what to do", () => {
    expect(run(tempFolder(), undefined)).toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("keychain cannot be used"),
      hint: expect.stringContaining('fallback: "file"'),
    });
  });

  it("a file serves where the caller asked for it, and never silently", () => {
    const folder = tempFolder();
    const { same, warnings } = run(folder, undefined, "fallback");
    expect(same).toBe(true);
    expect(warnings).toContainEqual(expect.stringContaining("plain file"));
    expect(readFileSync(join(folder, "store.json"), "utf8")).toContain("s3cret-");
  });
});

const hasSecretService =
  spawnSync("gnome-keyring-daemon", ["--version"]).status === 0 &&
  spawnSync("dbus-run-session", ["--version"]).status === 0;

// Real, from the system; CI installs it. macOS Keychain and Windows Credential Manager are not tried here.
describe.skipIf(!hasSecretService)("with a real Secret Service", () => {
  it("tokens of any size are kept, and the file alone says nothing", () => {
    const folder = tempFolder();
    expect(run(folder, START)).toEqual({ same: true, warnings: [] });
    const file = readFileSync(join(folder, "store.json"), "utf8");
    expect(file).toContain('"jwe"');
    expect(file).not.toContain("s3cret");
  });

  it("it keeps the contract of all backends", () => {
    const folder = tempFolder();
    const promises = storeContract(() => Promise.reject(new Error("not run here"))).map(({ name }) => name);
    expect(start(START, folder, worker("keychain-contract"), folder)).toEqual({ kept: promises, broken: [] });
  });

  it("that does not answer is given up after the time that was set", () => {
    const stop = `${START}; kill -STOP ${DAEMON}`;
    expect(run(tempFolder(), stop, "quick")).toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("did not answer within 0.5 s"),
    });
  });
});
