import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";

/** A child process of a test, with its output collected line by line. */
export interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly errors: string[];
  /** The first line for which this is true, now or later; rejects where the process ends without one. */
  line(test: (line: string) => boolean): Promise<string>;
  /** The same for standard error. */
  error(test: (line: string) => boolean): Promise<string>;
  /** Waits for the end. */
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface RunOptions {
  /** The words before the script's path. Default: the runtime of the tests. */
  readonly runtime?: readonly string[];
  /** Runs without root's right to write anywhere. Nothing changes where the tests do not run as root. */
  readonly unprivileged?: boolean;
  /** Longest file that it may write, in blocks of 512 bytes. */
  readonly fileLimit?: number;
  /** Shell commands that are run before, where only this program sees what they mount. As root only. */
  readonly mounts?: string;
  /** The folder that it is started in. Default: the tests' own. */
  readonly cwd?: string;
}

/** What runs a script in the runtime that the tests run in, in a shell. */
export function runtimeWords(script: string): string[] {
  return [process.execPath, ...("deno" in process.versions ? ["run", "--allow-all"] : []), script];
}

/** Runs a program of ours, killed at the latest when the test has finished. */
export function runNode(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  { unprivileged, fileLimit, mounts, cwd, runtime = [process.execPath] }: RunOptions = {},
): Child {
  const command = [...runtime, script, ...args];
  // The shell is replaced by the program, so that signals reach it.
  const limited = ["sh", "-c", `ulimit -f ${fileLimit}; trap "" XFSZ; exec "$@"`, "sh", ...command];
  const mounted = ["unshare", "--mount", "sh", "-c", `${mounts}\nexec "$@"`, "sh", ...command];
  const inner = mounts !== undefined ? mounted : fileLimit === undefined ? command : limited;
  const drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"];
  const [program = "", ...rest] = unprivileged && process.getuid?.() === 0 ? [...drop, ...inner] : inner;
  const child = spawn(program, rest, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  // It may end without having read what a test tells it.
  child.stdin.on("error", () => {});
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const out = collect(child.stdout, closed);
  const err = collect(child.stderr, closed);
  return {
    process: child,
    lines: out.lines,
    errors: err.lines,
    line: out.find,
    error: err.find,
    ended: async () => {
      const [code, signal] = await closed;
      return { code, signal };
    },
  };
}

/** The lines of a stream, and a way to wait for one. */
function collect(stream: Readable, closed: Promise<unknown>) {
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  createInterface({ input: stream }).on("line", (line) => {
    lines.push(line);
    for (const watcher of watchers) watcher();
  });
  const find = (test: (line: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find(test);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      void closed.then(() => reject(new Error(`It ended without that line:\n${lines.join("\n")}`)));
      look();
    });
  return { lines, find };
}
