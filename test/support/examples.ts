import { join } from "node:path";
import { type Child, type RunOptions, runNode } from "./processes.js";

export const EXAMPLES = join(import.meta.dirname, "../../examples");

/** Runs a program of the examples as its reader does. */
export function runExample(
  file: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  options: RunOptions = {},
): Child {
  return runNode("--import", ["tsx", join(EXAMPLES, file), ...args], env, options);
}

/** How an example ended, and what it printed. */
export async function outcomeOf(child: Child): Promise<{ code: number | null; out: string; err: string }> {
  const { code } = await child.ended();
  return { code, out: child.lines.join("\n"), err: child.errors.join("\n") };
}
