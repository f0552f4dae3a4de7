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

/** Prints a result: as JSON where a program reads it, else as text. */
export function print(io: CliIo, json: boolean, value: unknown, text: string): void {
  io.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text);
}
