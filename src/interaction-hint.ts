import type { LoginOptions } from "./options.js";
import type { TokenStore } from "./store/token-store.js";

/** The exact commands and variables that help a job which nobody sits in front of. */
export function interactionHint(host: string, store: TokenStore, options: LoginOptions): string {
  const { appName } = options;
  const command = `oidc-auth ${host}${appName === undefined ? "" : ` --app-name ${appName}`}`;
  const where = store.path === undefined ? "" : `, where the same file is seen (${store.path})`;
  const tokenFile = options.env?.["OIDC_TOKEN_FILE"] ?? process.env["OIDC_TOKEN_FILE"];
  const logIn =
    store.path !== undefined && tokenFile
      ? `    OIDC_TOKEN_FILE=${shellWord(store.path)} ${command}`
      : `    ${command}`;
  return [
    "do one of these:",
    `  1. Log in at a terminal${where}, then start this again:`,
    logIn,
    "  2. Copy a token file here and name it in the variable OIDC_TOKEN_FILE:",
    `    (umask 077; ${command} --json > token.json)      # at a terminal`,
    "    export OIDC_TOKEN_FILE=/path/to/token.json        # for the job",
    "  3. If somebody does read this output, let them enter a code on any device:",
    `    ${command} --flow device --interactive            # in code: flow: "device", interactive: true`,
    "    export INTERACTIVE_SESSION=1                      # or for all programs",
  ].join("\n");
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
