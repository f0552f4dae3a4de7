import { printDebugLines, wantsDebugLines } from "../debug/channel.js";
import { AuthError, ERROR_KINDS } from "../errors.js";
import { withoutTokens } from "../text.js";
import { type Command, UsageError } from "./command.js";
import { type CliIo, printableIo } from "./io.js";
import { parseCommand } from "./parse.js";
import { isCommand, loadCommand } from "./registry.js";

export type { CliIo } from "./io.js";

const USAGE_STATUS = 2;
const FAULT_STATUS = 1;

/** Runs one command line. @returns the exit status */
export async function run(argv: readonly string[], outside: CliIo): Promise<number> {
  const io = printableIo(outside);
  const stop = wantsDebugLines(io.env) ? await printDebugLines(io.stderr) : undefined;
  try {
    return await runWords(argv, io);
  } finally {
    stop?.();
  }
}

async function runWords(argv: readonly string[], io: CliIo): Promise<number> {
  const [word = "", ...rest] = argv;
  const named = isCommand(word) ? word : undefined;
  try {
    if (named !== undefined) return await runCommand(await loadCommand(named), rest, io);
    const { runReference } = await import("./reference.js");
    return await runReference(argv, io);
  } catch (error) {
    if (error instanceof UsageError) {
      const help = named === undefined ? "oidc-auth --help" : `oidc-auth ${named} --help`;
      // It names the argument, which may be an address with a password.
      io.stderr.write(`oidc-auth: ${withoutTokens(error.message)}. See ${help}.\n`);
      return USAGE_STATUS;
    }
    await report(error, io);
    return error instanceof AuthError ? ERROR_KINDS[error.code].exit : FAULT_STATUS;
  }
}

async function runCommand(command: Command, argv: readonly string[], io: CliIo): Promise<number> {
  const input = parseCommand(command, argv);
  if (input.values["help"]) {
    const { commandHelp } = await import("./command-help.js");
    io.stdout.write(commandHelp(command));
    return 0;
  }
  return (await command.run(input, io)) ?? 0;
}

async function report(error: unknown, { stderr, env, signal }: CliIo): Promise<void> {
  const { traceOf } = await import("./trace.js");
  if (!(error instanceof AuthError)) {
    stderr.write(`oidc-auth: This is a mistake of the program's own: please report it.\n${traceOf(error)}\n`);
    return;
  }
  const lines = [`oidc-auth: ${error.message}`];
  if (error.description) lines.push(`The server said: ${error.description}`);
  // Who has ended it knows what to do.
  if (error.hint && !signal.aborted) lines.push(`What to do: ${error.hint}`);
  if (wantsDebugLines(env)) lines.push(traceOf(error));
  stderr.write(`${lines.join("\n")}\n`);
}
