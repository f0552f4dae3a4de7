import { type Command, EVERYWHERE, type Option } from "./command.js";

const WIDTH = 100;

/** The help of one command, from what it says of itself. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...EVERYWHERE }).map(([name, option]) =>
    optionLines(name, option),
  );
  return [
    `Usage: oidc-auth ${command.usage}`,
    "",
    ...wrap(command.about, WIDTH),
    "",
    "Options:",
    ...options.flat(),
    ...(command.notes ? ["", ...command.notes] : []),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

const INDENT = 30;

function optionLines(name: string, { short, value, help }: Option): string[] {
  const flag = `  ${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
  const [first = "", ...more] = wrap(help, WIDTH - INDENT);
  const rest = more.map((line) => " ".repeat(INDENT) + line);
  if (flag.length > INDENT - 2) return [flag, " ".repeat(INDENT) + first, ...rest];
  return [flag.padEnd(INDENT) + first, ...rest];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
