import { loginCommand } from "../interaction-hint.js";
import { shellWord } from "../shell-word.js";
import type { Resolved } from "./target.js";

/** The command that logs in to what a command line named, in the store that it named. */
export function loginWords({ config, profile, options, store }: Resolved): string {
  const account = options.account === undefined ? [] : ["--account", options.account];
  const login =
    profile === undefined
      ? loginCommand(config, options)
      : ["oidc-auth login", profile, ...account].join(" ");
  const named = store.takesTokenFile || store.path === undefined ? [] : ["--store", shellWord(store.path)];
  return [login, ...named].join(" ");
}
