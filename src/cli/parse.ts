import { parseArgs } from "node:util";
import { type Command, EVERYWHERE, type Input, type Option, UsageError } from "./command.js";

/** Reads the words of a command. @throws UsageError naming the argument */
export function parseCommand(command: Command, argv: readonly string[]): Input {
  const mark = command.takesRest ? argv.indexOf("--") : -1;
  const words = mark < 0 ? argv : argv.slice(0, mark);
  const rest = mark < 0 ? [] : argv.slice(mark + 1);
  const { values, positionals } = parse(command, words);
  if (values["help"]) return { values, positionals, rest };
  const [least, most] = command.words ?? [1, 1];
  const surplus = positionals[most];
  if (surplus !== undefined) {
    const where = command.takesRest && mark < 0 ? `: a program stands behind --, as in ${command.usage}` : "";
    throw new UsageError(`${surplus} is too much${where}`);
  }
  if (positionals.length < least) {
    throw new UsageError(
      command.words === undefined
        ? "a HOST is missing, such as https://auth.example.org"
        : `it is used as: oidc-auth ${command.usage}`,
    );
  }
  return { values, positionals, rest };
}

/** The options of a command as the parser takes them. */
export function optionsOf(
  command: Command,
): Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean }> {
  const all: Record<string, Option> = { ...command.options, ...EVERYWHERE };
  return Object.fromEntries(
    Object.entries(all).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short !== undefined && { short }), ...(multiple && { multiple }) },
    ]),
  );
}

function parse(command: Command, argv: readonly string[]) {
  try {
    const options = optionsOf(command);
    return parseArgs({ args: [...argv], options, allowPositionals: true, allowNegative: true, strict: true });
  } catch (error) {
    throw usageError(error);
  }
}

/**
 * Node's message explains itself in several sentences, of which the first names the argument. "Ambiguous" it calls a value
 * that looks like an option.
 */
export function usageError(error: unknown): UsageError {
  const message = error instanceof Error ? error.message : String(error);
  const [first = message] = message.split(/\.\s/);
  return new UsageError(
    first.replace("argument is ambiguous", "needs a value; one that begins with - is joined to it by ="),
  );
}
