import type { Command } from "./command.js";

/** All commands: what each does in a few words, and where it is. */
export const COMMANDS = {
  login: "log in, or reuse or renew what is stored",
  token: "print a valid access token, and nothing else",
  exec: "run a program with a token in its environment",
  status: "who you are, until when, with which scopes",
  list: "the servers with a stored login",
  refresh: "renew the stored token now",
  userinfo: "ask the server who you are",
  logout: "revoke the tokens and forget the login",
  remove: "forget one login",
  clear: "forget all logins",
  doctor: "find out what keeps a login from working",
  config: "keep servers under names of your own",
  kubernetes: "a credential plugin for kubectl",
  "git-credential": "a credential helper for git",
  "docker-credential": "a credential helper for docker",
  completion: "words for your shell's Tab key",
} as const;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

export async function loadCommand(name: CommandName): Promise<Command> {
  switch (name) {
    case "login":
      return (await import("./commands/login.js")).command;
    case "token":
      return (await import("./commands/token.js")).command;
    case "exec":
      return (await import("./commands/exec.js")).command;
    case "status":
      return (await import("./commands/status.js")).command;
    case "list":
      return (await import("./commands/stores.js")).list;
    case "remove":
      return (await import("./commands/stores.js")).remove;
    case "clear":
      return (await import("./commands/stores.js")).clear;
    case "refresh":
      return (await import("./commands/refresh.js")).command;
    case "userinfo":
      return (await import("./commands/userinfo.js")).command;
    case "logout":
      return (await import("./commands/logout.js")).command;
    case "doctor":
      return (await import("./commands/doctor.js")).command;
    case "config":
      return (await import("./commands/config.js")).command;
    case "kubernetes":
      return (await import("./commands/kubernetes.js")).command;
    case "git-credential":
      return (await import("./commands/git-credential.js")).command;
    case "docker-credential":
      return (await import("./commands/docker-credential.js")).command;
    case "completion":
      return (await import("./commands/completion.js")).completion({
        about: COMMANDS,
        load: (one) => loadCommand(one as CommandName),
      });
  }
}
