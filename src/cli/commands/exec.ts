import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { AuthError } from "../../errors.js";
import { cleanText } from "../../text.js";
import { unaskedUnlessTold } from "../asks-nobody.js";
import { type Command, type Input, textOf, UsageError } from "../command.js";
import { warnOn } from "../io.js";
import { LOGIN_OPTIONS, resolveTarget, TARGET_OPTIONS } from "../target.js";
import { keepFresh, putToken } from "../token-file.js";

export const command: Command = {
  usage: "exec HOST [options] -- PROGRAM [ARGUMENTS...]",
  about:
    "Runs a program with a valid access token in its environment, and, for long runs, in a file that is renewed while the program runs. Signals go to the program, and its exit status is ours. The variables that --client-secret-env and --credentials env:NAME name are not handed on.",
  takesRest: true,
  options: {
    env: { type: "string", value: "NAME", help: "the variable with the token (default OIDC_ACCESS_TOKEN)" },
    "file-env": {
      type: "string",
      value: "NAME",
      help: "the variable with the path of the file (default OIDC_ACCESS_TOKEN_FILE)",
    },
    login: { type: "boolean", help: "log in where that is needed, and somebody can" },
    ...TARGET_OPTIONS,
    ...LOGIN_OPTIONS,
  },
  examples: [
    "oidc-auth exec https://auth.example.org -- python job.py",
    "oidc-auth exec prod --env GITLAB_TOKEN -- glab repo list",
    `oidc-auth exec prod -- sh -c 'curl -H "Authorization: Bearer $(cat $OIDC_ACCESS_TOKEN_FILE)" https://api.example.org'`,
  ],
  async run(input, io) {
    const [program, ...words] = input.rest;
    if (!program) throw new UsageError("a PROGRAM is missing behind --");
    const names = {
      token: variable(textOf(input, "env") ?? "OIDC_ACCESS_TOKEN"),
      file: variable(textOf(input, "file-env") ?? "OIDC_ACCESS_TOKEN_FILE"),
    };
    const resolved = await resolveTarget(input.positionals[0] ?? "", input, io);
    const authenticate = unaskedUnlessTold("exec", input, resolved, io);
    const token = await authenticate();
    const folder = await temporaryFolder();
    const stop = new AbortController();
    try {
      const path = join(folder, "token");
      await putToken(path, token).catch(cannotKeep(folder));
      void keepFresh(path, token, authenticate, warnOn(io), stop.signal);
      const ended = runProgram(program, words, {
        ...withoutCredentials(process.env, input),
        [names.token]: token.accessToken,
        [names.file]: path,
      });
      // Only now: a signal that finds no handler, for however short a time, would end us and not the program.
      io.handOverSignals?.();
      return await ended;
    } finally {
      stop.abort();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** What the command line names as ours alone is not handed on: the program gets the token in its place. */
function withoutCredentials(env: NodeJS.ProcessEnv, input: Input): NodeJS.ProcessEnv {
  const credentials = textOf(input, "credentials") ?? "";
  const ours = [textOf(input, "client-secret-env"), /^env:(.*)$/s.exec(credentials)?.[1]];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.includes(name)));
}

async function temporaryFolder(): Promise<string> {
  const around = tmpdir();
  return mkdtemp(join(around, "oidc-auth-")).catch(cannotKeep(around));
}

/** Makes our error of the system's, where the token's file cannot be made. */
function cannotKeep(folder: string): (error: NodeJS.ErrnoException) => never {
  return ({ code = "unknown" }) => {
    throw new AuthError(
      "store_unwritable",
      `The file for the token cannot be made in ${cleanText(folder)} (${code}).`,
      { hint: "Name a folder that you may write to, and that has room, in TMPDIR." },
    );
  };
}

function variable(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new UsageError(`${name} is no name of a variable`);
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
/** Why a program was not started, and what a shell says then: 127 where it is not found, 126 where it cannot be run. */
const NOT_STARTED: Readonly<Record<string, readonly [why: string, status: number]>> = {
  ENOENT: ["it is not found", 127],
  ENOTDIR: ["it is not found", 127],
  EACCES: ["it may not be", 126],
};

/** Runs a program on our own terminal. @returns its exit status, 128 and the number for a signal */
function runProgram(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const notStarted = ({ code = "unknown" }: NodeJS.ErrnoException) => {
      const [why, status] = NOT_STARTED[code] ?? [`the system refuses it (${code})`, 126];
      process.stderr.write(`oidc-auth: ${program} cannot be run: ${why}.\n`);
      resolve(status);
    };
    let child: ChildProcess;
    try {
      child = spawn(program, words, { env, stdio: "inherit" });
    } catch (error) {
      // Some refusals come at once (too many words, a file for a folder), others as an event.
      return notStarted(error as NodeJS.ErrnoException);
    }
    // A terminal's Ctrl-C reaches the program by itself; a signal that was sent to us alone does not.
    const forward = (signal: NodeJS.Signals) =>
      void (process.stdin.isTTY && signal === "SIGINT" ? 0 : child.kill(signal));
    for (const signal of FORWARDED) process.on(signal, forward);
    const end = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      end();
      notStarted(error);
    });
    child.on("exit", (code, signal) => {
      end();
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]);
    });
  });
}
