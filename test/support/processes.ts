import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** A child process of a test, with its output collected line by line. */
export interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly errors: string[];
  /** The first line for which this is true, now or later; rejects where the process ends without one. */
  line(test: (line: string) => boolean): Promise<string>;
  /** Waits for the end. */
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs a program of ours in Node, killed at the latest when the test has finished. */
export function runNode(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Child {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const errors: string[] = [];
  const watchers = new Set<() => void>();
  const out = createInterface({ input: child.stdout });
  out.on("line", (line) => {
    lines.push(line);
    for (const watcher of watchers) watcher();
  });
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    process: child,
    lines,
    errors,
    line: (test) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(test);
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        void closed.then(() => reject(new Error(`It ended without that line: ${errors.join("\n")}`)));
        look();
      }),
    ended: async () => {
      const [code, signal] = await closed;
      return { code, signal };
    },
  };
}
