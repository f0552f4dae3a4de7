import type { CliIo } from "./io.js";

/** One option of a command, as it is parsed and as its help shows it. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly help: string;
}

/** What a command was given. */
export interface Input {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  /** What stands behind `--`. */
  readonly rest: readonly string[];
}

export interface Command {
  readonly usage: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** More that its help tells. */
  readonly notes?: readonly string[];
  /** How many words it takes beside its options. Default: exactly one. */
  readonly words?: readonly [least: number, most: number];
  /** Whether it takes words behind `--`. */
  readonly takesRest?: boolean;
  /** @returns the exit status; default 0 */
  run(input: Input, io: CliIo): Promise<number | undefined>;
}

/** Wrong usage: the program ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The text of an option, where it was given. */
export function textOf({ values }: Input, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

export function isOn({ values }: Input, name: string): boolean {
  return values[name] === true;
}

/** A number above 0. @throws UsageError */
export function numberOf(input: Input, name: string): number | undefined {
  const text = textOf(input, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number <= 0) {
    throw new UsageError(`--${name} takes a number of seconds above 0 (it is ${text})`);
  }
  return number;
}

/** One of some words. @throws UsageError */
export function wordOf<T extends string>(input: Input, name: string, words: readonly T[]): T | undefined {
  const text = textOf(input, name);
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found === undefined) throw new UsageError(`--${name} takes ${words.join(", ")} (it is ${text})`);
  return found;
}

/** Options that every command has. */
export const EVERYWHERE = {
  help: { type: "boolean", short: "h", help: "this text" },
} as const satisfies Record<string, Option>;

export const JSON_OPTION = {
  json: { type: "boolean", help: "print the result as JSON" },
} as const satisfies Record<string, Option>;
