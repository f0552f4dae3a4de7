import { printable, printableJson } from "../text.js";

/** Longest line of a result for people, in characters: room for a path, and for more names than anybody reads. */
export const MAX_LINE = 2000;

/** The outside of a run, so that it can be tried without a process. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** From now on signals are the command's own affair, and its status is the program's whatever came. */
  readonly handOverSignals?: (() => void) | undefined;
  /** What stands on standard input. */
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
}

/** Tells a person what is not as it should be. */
export function warnOn({ stderr }: CliIo): (message: string) => void {
  return (message) => void stderr.write(`oidc-auth: warning: ${message}\n`);
}

/** Prints a result: as JSON where a program reads it, else as text. */
export function print(io: CliIo, json: boolean, value: unknown, text: string): void {
  io.stdout.write(json ? `${printableJson(value)}\n` : text);
}

/**
 * The same outside, but nothing that is written there can change a screen, whoever had put it into the text: what the
 * program itself writes are lines. (The display of a login has its own way to the terminal.)
 */
export function printableIo(io: CliIo): CliIo {
  const { stdout, stderr } = io;
  return {
    ...io,
    stdout: { write: (text) => stdout.write(printable(text)) },
    stderr: { write: (text) => stderr.write(printable(text)) },
  };
}
