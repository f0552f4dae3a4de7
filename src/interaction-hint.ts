import type { Config } from "./config.js";
import type { IssuerSettings } from "./settings/issuer.js";
import { DEFAULT_ROUTES, type RoutesSettings } from "./settings/routes.js";
import { defaultStorePath } from "./store/default-path.js";
import type { TokenStore } from "./store/token-store.js";

/** The exact commands and variables that help a job which nobody sits in front of. */
export function interactionHint(config: Config, store: TokenStore, ownStore: boolean): string {
  const command = loginCommand(config);
  const { path } = store;
  const atTerminal =
    path === undefined || path === defaultStorePath()
      ? command
      : `OIDC_TOKEN_FILE=${shellWord(path)} ${command}`;
  const copy =
    ownStore && path !== undefined
      ? `    then copy it to ${path}, or let the program take OIDC_TOKEN_FILE (it does where it is given no store)`
      : "    export OIDC_TOKEN_FILE=/path/to/token.json        # for the job";
  return [
    "do one of these:",
    `  1. Log in at a terminal${path === undefined ? "" : ` that sees the same file (${path})`}, then start this again:`,
    `    ${atTerminal}`,
    "  2. Make a token file at a terminal, and give it to the job:",
    `    (umask 077; ${command} --json > token.json)`,
    copy,
    "  3. If somebody does read this output, let them enter a code on any device:",
    `    ${command} --flow device --interactive            # in code: flow: "device", interactive: true`,
    "    export INTERACTIVE_SESSION=1                      # or for all programs",
  ].join("\n");
}

/** The command that logs in to the same server in the same way. */
export function loginCommand(config: Config): string {
  return ["oidc-auth", config.host, ...flags(config)].map(shellWord).join(" ");
}

/** What the command line needs to ask the same server in the same way. */
function flags({ settings }: Config): string[] {
  const { redirectPorts, scopes, allowInsecureHost } = settings;
  return [
    ...(settings.kind === "routes" ? routeFlags(settings) : issuerFlags(settings)),
    ...(scopes && scopes.length > 0 ? ["--scopes", scopes.join(" ")] : []),
    ...(redirectPorts ? ["--ports", redirectPorts.join(",")] : []),
    ...(allowInsecureHost ? ["--allow-insecure-host"] : []),
  ];
}

function routeFlags({ host, loginUrl, tokenUrl, deviceUrl }: RoutesSettings): string[] {
  const route = (flag: string, url: URL, usual: string) =>
    url.href === host + usual ? [] : [flag, url.href.slice(host.length)];
  return [
    ...route("--login-route", loginUrl, DEFAULT_ROUTES.loginRoute),
    ...route("--token-route", tokenUrl, DEFAULT_ROUTES.tokenRoute),
    ...route("--device-route", deviceUrl, DEFAULT_ROUTES.deviceRoute),
  ];
}

function issuerFlags({ issuer, clientId, resource, audience }: IssuerSettings): string[] {
  return [
    ...(clientId === undefined ? [] : ["--client-id", clientId]),
    // Where there is no issuer, the API itself stands in its place.
    ...(issuer === undefined ? ["--api"] : resource === undefined ? [] : ["--resource", resource]),
    ...(audience === undefined ? [] : ["--audience", audience]),
  ];
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./~[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
