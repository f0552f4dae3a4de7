import { AuthError, ERROR_KINDS } from "../errors.js";
import { TokenStore } from "../store/token-store.js";
import { type Command, parseArguments, type StoreArguments, UsageError } from "./arguments.js";

/** The outside of a run, so that it can be tried without a process. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const USAGE_STATUS = 2;

/** Runs one command line. @returns the exit status */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await perform(parseArguments(argv), io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`oidc-auth: ${error.message}. See oidc-auth --help.\n`);
      return USAGE_STATUS;
    }
    if (!(error instanceof AuthError)) throw error;
    report(error, io);
    return ERROR_KINDS[error.code].exit;
  }
}

async function perform(command: Command, io: CliIo): Promise<void> {
  switch (command.name) {
    case "help":
      io.stdout.write((await import("./help.js")).HELP);
      return;
    case "version":
      io.stdout.write(`${await (await import("./version.js")).readVersion()}\n`);
      return;
    case "login":
      return (await import("./login.js")).login(command, io, openStore(command.stores, io));
    default:
      return (await import("./stores.js")).manage(command, io, openStore(command.stores, io));
  }
}

function openStore({ appName }: StoreArguments, io: CliIo): TokenStore {
  const onWarning = (message: string) => io.stderr.write(`oidc-auth: warning: ${message}\n`);
  return new TokenStore({ appName, env: io.env, onWarning });
}

function report(error: AuthError, { stderr, env }: CliIo): void {
  const lines = [`oidc-auth: ${error.message}`];
  if (error.description) lines.push(`The server said: ${error.description}`);
  if (error.hint) lines.push(`What to do: ${error.hint}`);
  if (env["OIDC_AUTH_DEBUG"] && error.stack) lines.push(error.stack);
  stderr.write(`${lines.join("\n")}\n`);
}
