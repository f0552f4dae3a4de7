import { parseArgs } from "node:util";
import { UsageError } from "./command.js";
import { command as login } from "./commands/login.js";
import type { CliIo } from "./io.js";
import { nearName } from "./near-name.js";
import { optionsOf, parseCommand, usageError } from "./parse.js";
import { isProfileName, readProfiles, unknownProfile } from "./profiles.js";
import { COMMANDS, type CommandName, loadCommand } from "./registry.js";

/** What the words of the reference's form come to. */
export interface Translated {
  readonly name: CommandName | "help" | "version";
  readonly argv: readonly string[];
}

/**
 * Puts the form of the Python program, `oidc-auth HOST [flags]`, `--list`, `--clear`, `--remove HOST`, in terms of our
 * commands.
 *
 * @throws UsageError naming the argument
 */
export function translate(argv: readonly string[]): Translated {
  const words = spreadPorts(argv);
  const { values, positionals } = parse(words);
  if (values["help"]) return { name: "help", argv: [] };
  if (values["version"]) return { name: "version", argv: [] };
  const actions = (["list", "clear", "remove"] as const).filter((name) => values[name] !== undefined);
  const [action, second] = actions;
  if (second) throw new UsageError(`--${action} and --${second} cannot be given together`);
  const [host, surplus] = positionals;
  if (action) {
    if (host !== undefined) throw new UsageError(`--${action} takes no host beside it (${host} is too much)`);
    const kept = ["app-name", "store"].flatMap((name) => (values[name] ? [`--${name}=${values[name]}`] : []));
    const named = action === "remove" ? [String(values["remove"])] : [];
    return { name: action, argv: [...named, ...kept, ...(values["json"] ? ["--json"] : [])] };
  }
  if (host === undefined) throw new UsageError("a HOST is missing, such as https://auth.example.org");
  if (surplus !== undefined) throw new UsageError(`one HOST is enough (${surplus} is too much)`);
  return { name: "login", argv: words };
}

export async function runReference(argv: readonly string[], io: CliIo): Promise<number> {
  assertKnown(argv[0] ?? "", io);
  const { name, argv: words } = translate(argv);
  if (name === "help") {
    io.stdout.write((await import("./help.js")).help());
    return 0;
  }
  if (name === "version") {
    io.stdout.write(`${await (await import("./version.js")).readVersion()}\n`);
    return 0;
  }
  const command = await loadCommand(name);
  return (await command.run(parseCommand(command, words), io)) ?? 0;
}

/**
 * A word that can be no address is a profile, or a mistyped command: said before its options are looked at.
 *
 * @throws UsageError, AuthError `invalid_config` where it is neither
 */
function assertKnown(word: string, { env }: CliIo): void {
  const profiles = isProfileName(word) ? readProfiles(env) : undefined;
  if (!profiles || profiles[word]) return;
  const near = nearName(word, [...Object.keys(COMMANDS), ...Object.keys(profiles), "--help", "--version"]);
  if (near === undefined) throw unknownProfile(word);
  throw new UsageError(`there is no command or profile ${word} (did you mean ${near}?)`);
}

function parse(argv: readonly string[]): {
  values: Readonly<Record<string, unknown>>;
  positionals: readonly string[];
} {
  const options: ReturnType<typeof optionsOf> = {
    ...optionsOf(login),
    list: { type: "boolean" },
    clear: { type: "boolean" },
    remove: { type: "string" },
    version: { type: "boolean", short: "V" },
  };
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, allowNegative: true, strict: true });
  } catch (error) {
    throw usageError(error);
  }
}

/** `-p 53100 53101` as the Python program takes it: whole numbers after `-p` belong to it. */
function spreadPorts(argv: readonly string[]): string[] {
  const spread: string[] = [];
  let inPorts = false;
  for (const word of argv) {
    if (word === "-p" || word === "--ports") {
      inPorts = true;
      continue;
    }
    if (inPorts && /^\d[\d,]*$/.test(word)) {
      spread.push(`--ports=${word}`);
      continue;
    }
    if (inPorts && spread.at(-1)?.startsWith("--ports=") !== true) {
      throw new UsageError(`--ports needs at least one port (it is followed by ${word})`);
    }
    inPorts = false;
    spread.push(word);
  }
  if (inPorts && spread.at(-1)?.startsWith("--ports=") !== true) {
    throw new UsageError("--ports needs at least one port");
  }
  return spread;
}
