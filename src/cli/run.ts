import { AuthError, ERROR_KINDS } from "../errors.js";
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
  const [word = "", ...rest] = argv;
  const named = isCommand(word) ? word : undefined;
  try {
    if (named !== undefined) return await runCommand(await loadCommand(named), rest, io);
    const { runReference } = await import("./reference.js");
    return await runReference(argv, io);
  } catch (error) {
    if (error instanceof UsageError) {
      const help = named === undefined ? "oidc-auth --help" : `oidc-auth ${named} --help`;
      io.stderr.write(`oidc-auth: ${error.message}. See ${help}.\n`);
      return USAGE_STATUS;
    }
    if (!(error instanceof AuthError)) {
      // A fault of this program. Node would print it as it is, whatever a server had put into it.
      io.stderr.write(`oidc-auth: unexpected: ${error instanceof Error ? error.stack : String(error)}\n`);
      return FAULT_STATUS;
    }
    report(error, io);
    return ERROR_KINDS[error.code].exit;
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

function report(error: AuthError, { stderr, env }: CliIo): void {
  const lines = [`oidc-auth: ${error.message}`];
  if (error.description) lines.push(`The server said: ${error.description}`);
  if (error.hint) lines.push(`What to do: ${error.hint}`);
  if (env["OIDC_AUTH_DEBUG"] && error.stack) lines.push(error.stack);
  stderr.write(`${lines.join("\n")}\n`);
}
