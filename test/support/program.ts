import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The built program. */
export const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");

/** What a program wrote, byte by byte. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  { input = "", cwd }: { input?: string; cwd?: string } = {},
): Promise<Ran> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    cwd,
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // It may end without having read it.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err) };
}

/** Runs the built program to its end. */
export function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { input?: string; cwd?: string } = {},
): Promise<Ran> {
  return run([process.execPath, CLI, ...args], env, options);
}
