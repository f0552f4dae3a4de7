import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Config, type ConfigInit } from "../../src/config.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { filesBelow, type Places, Taint } from "./taint.js";
import { type Fault, startTaintedServer, type TaintedServer } from "./tainted-server.js";
import { tempFolder } from "./temp-folder.js";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "dist/cli/oidc-auth.cjs");
export const worker = (name: string) => join(ROOT, "test/process/workers", name);

/** A home of its own, and a server whose every secret is marked. */
export interface ProgramWorld {
  readonly taint: Taint;
  readonly server: TaintedServer;
  readonly home: string;
  /** Files that secrets may stand in; closed to others. */
  readonly stores: string[];
  readonly env: Record<string, string>;
  /** What a program that `exec` runs says it found. */
  readonly childReport: string;
}

export async function programWorld(): Promise<ProgramWorld> {
  const [taint, folder] = [new Taint(), tempFolder()];
  const home = join(folder, "home");
  const [record, childReport] = [join(folder, "record"), join(folder, "child.json")];
  for (const one of [home, record, join(home, "tmp")]) mkdirSync(one, { recursive: true });
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    TMPDIR: join(home, "tmp"),
    OIDC_AUTH_DEBUG: "1",
    DISPLAY: ":0",
    BROWSER: worker("fake-browser.mjs"),
    NODE_OPTIONS: `--require ${worker("recorder.cjs")}`,
    TAINT_RECORD: record,
    TAINT_TOP: String(process.pid),
    TAINT_CHILD: childReport,
  };
  const store = join(home, ".cache/py-oidc-auth/token-store.json");
  return { taint, server: await startTaintedServer(taint), home, stores: [store], env, childReport };
}

/** A login in the program's store: one that has to be renewed, or one that is good. */
export async function keepLogin(
  { taint, server, stores: [path] }: ProgramWorld,
  target: ConfigInit,
  state: "good" | "ended",
): Promise<Token> {
  const config = new Config(target);
  const { kind } = config.settings;
  const token = new Token({
    accessToken: taint.token("access token"),
    refreshToken: taint.token("refresh token"),
    idToken: taint.token("id token"),
    expiresAt: state === "good" ? 9e9 : 1,
    ...(kind === "issuer" && { issuer: server.url, clientId: "cli" }),
  });
  await new TokenStore({ path: path ?? "" }).put(config, token);
  return token;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  /** All else that came out. */
  readonly told: Places;
  /** What was opened in the browser. */
  readonly opened: readonly string[];
}

interface Visible {
  readonly line: readonly { pid: number; words: string[]; env: string[] }[];
  readonly title: string;
  readonly argv: readonly string[];
}

export interface RunOptions {
  readonly fault?: { readonly paths: RegExp; readonly what: Fault } | undefined;
  readonly stdin?: string;
  /** Whether it is interrupted while it waits for an answer that does not come, and once more when it says so. */
  readonly interrupt?: boolean;
  /** A path that something that was started asks for, maybe later than the program ends. */
  readonly until?: string | undefined;
  /** Something else in the program's place. */
  readonly program?: string;
}

/** Runs the built program as a person or another program would, and gives all that came out of it. */
export async function runProgram(
  world: ProgramWorld,
  argv: readonly string[],
  { fault, stdin = "", interrupt = false, until, program = PROGRAM }: RunOptions = {},
): Promise<Ran> {
  const { server, home, env } = world;
  if (fault) server.fault(fault.paths, fault.what);
  const child = spawn(process.execPath, [program, ...argv], { env, cwd: home, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  if (interrupt) {
    void server.faulty.then(() => child.kill("SIGINT"));
    // A refresh that was sent is heard out, unless it is meant.
    child.stderr.on("data", () => /Ended by SIGINT/.test(output.stderr) && child.kill("SIGINT"));
  }
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (until !== undefined) await server.asked(until);
  const seen = visible(env["TAINT_RECORD"] ?? "");
  const others = seen.flatMap(({ line }) => line.filter(({ pid }) => pid !== child.pid));
  const opened = [...new Set(others.flatMap(({ words }) => words.filter((word) => /^https?:/.test(word))))];
  const without = (text: string) => opened.reduce((rest, url) => rest.split(url).join(""), text);
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    code,
    stdout: output.stdout,
    opened,
    told: {
      // The program must put the address in front of the person, too.
      stderr: without(output.stderr),
      "words of other processes": others.map(({ words }) => words.filter((word) => !opened.includes(word))),
      "environments of other processes": others.map(({ env: theirs }) =>
        theirs.filter((one) => !own.includes(one) && !one.startsWith(GIVEN)),
      ),
      titles: seen.map(({ title }) => title),
      urls: server.seen.filter(({ url }) => url.pathname !== "/authorize").map(({ url }) => url.href),
      files: filesBelow(home, world.stores),
    },
  };
}

/** What a program that `exec` runs is given. */
const GIVEN = "OIDC_ACCESS_TOKEN=";

/** What the processes of a run have shown to others. */
function visible(folder: string): Visible[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Visible);
}

/** Files with secrets that others could read. */
export function openFiles({ stores }: ProgramWorld): string[] {
  return stores.filter((path) => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o077) !== 0;
  });
}
