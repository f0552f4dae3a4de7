import { type Command, UsageError } from "../command.js";
import { optionsOf } from "../parse.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** All commands, as they are known by name: handed in, as they know this one, too. */
export interface CommandTable {
  readonly about: Readonly<Record<string, string>>;
  load(name: string): Promise<Command>;
}

export const completion = (table: CommandTable): Command => ({
  usage: "completion bash|zsh|fish",
  about:
    "Prints what your shell needs to complete commands, options and the hosts of stored logins with the Tab key.",
  words: [1, 1],
  options: {},
  examples: [
    'eval "$(oidc-auth completion bash)"                                        # in ~/.bashrc',
    'eval "$(oidc-auth completion zsh)"                                         # in ~/.zshrc, after compinit',
    "oidc-auth completion fish > ~/.config/fish/completions/oidc-auth.fish",
  ],
  async run(input, io) {
    const shell = SHELLS.find((one) => one === input.positionals[0]);
    if (!shell) throw new UsageError(`completion takes ${SHELLS.join(", ")} (it is ${input.positionals[0]})`);
    const words: Words[] = [];
    for (const [name, about] of Object.entries(table.about)) {
      const options = Object.keys(optionsOf(await table.load(name))).map((option) => `--${option}`);
      words.push({ name, about, options });
    }
    io.stdout.write({ bash, zsh, fish }[shell](words));
    return 0;
  },
});

interface Words {
  readonly name: string;
  readonly about: string;
  readonly options: readonly string[];
}

/** Hosts are asked of the program itself, which knows what is stored now. */
const HOSTS = "oidc-auth list 2>/dev/null";

function bash(commands: readonly Words[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(" ")}" ;;`);
  return `_oidc_auth() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words="" hosts="" host
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(" ")} --help --version"
    hosts="$(${HOSTS})"
  elif [ "\${word#-}" = "$word" ]; then
    words=""
    hosts="$(${HOSTS})"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  # Not by compgen, which would run what stands in an address, and quoted, so that the shell does not run it either.
  while IFS= read -r host; do
    printf -v host %q "$host"
    if [ -n "$hosts" ] && [[ "$host" == "$word"* ]]; then COMPREPLY+=("$host"); fi
  done <<< "$hosts"
  # A colon parts words in bash: what stands before it is already there.
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$word"; fi
}
complete -o default -F _oidc_auth oidc-auth
`;
}

function zsh(commands: readonly Words[]): string {
  const described = commands.map(({ name, about }) => `    '${name}:${about.replaceAll("'", "'\\''")}'`);
  const cases = commands.map(({ name, options }) => `      ${name}) compadd -- ${options.join(" ")} ;;`);
  return `#compdef oidc-auth
_oidc_auth() {
  local -a commands hosts
  commands=(
${described.join("\n")}
  )
  hosts=(\${(f)"$(${HOSTS})"})
  if (( CURRENT == 2 )); then
    _describe command commands
    compadd -- $hosts
  elif [[ \${words[CURRENT]} == -* ]]; then
    case \${words[2]} in
${cases.join("\n")}
    esac
  else
    compadd -- $hosts
  fi
}
compdef _oidc_auth oidc-auth
`;
}

function fish(commands: readonly Words[]): string {
  const described = commands.map(
    ({ name, about }) =>
      `complete -c oidc-auth -f -n __fish_use_subcommand -a ${name} -d '${about.replaceAll("'", "\\'")}'`,
  );
  const flags = commands.flatMap(({ name, options }) =>
    options.map(
      (option) => `complete -c oidc-auth -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
    ),
  );
  return `${[...described, `complete -c oidc-auth -f -a '(${HOSTS})'`, ...flags].join("\n")}\n`;
}
