import type { Config } from "./config.js";
import type { IssuerSettings } from "./settings/issuer.js";
import { DEFAULT_ROUTES, type RoutesSettings } from "./settings/routes.js";
import { shellWord } from "./shell-word.js";
import { defaultStorePath } from "./store/default-path.js";
import type { TokenStore } from "./store/token-store.js";

/** How this program logs in, as far as a command has to say it. */
export interface LoginWay {
  readonly account?: string | undefined;
  readonly loginCommand?: string | undefined;
}

/** The exact commands and variables that help a job which nobody sits in front of. */
export function interactionHint(config: Config, store: TokenStore, way: LoginWay): string {
  // Commands of ours know neither a key nor another backend: what they wrote the program would not find.
  const ours = way.loginCommand === undefined && store.path !== undefined && !store.sealed;
  const ways = ours ? ourWays(config, store, way) : ownWays(store, way);
  return [
    "do one of these:",
    ...ways.map(([about, ...lines], n) => [`  ${n + 1}. ${about}`, ...lines].join("\n    ")),
  ].join("\n");
}

type Way = readonly [about: string, ...commands: string[]];

const FOR_JOB = "export OIDC_TOKEN_FILE=/path/to/token.json        # for the job";
const ANYWHERE = "export INTERACTIVE_SESSION=1                      # or for all programs";

/** By the command line of this package. */
function ourWays(config: Config, { path = "", takesTokenFile }: TokenStore, way: LoginWay): Way[] {
  const command = loginCommand(config, way);
  const here = path === defaultStorePath() ? command : `OIDC_TOKEN_FILE=${shellWord(path)} ${command}`;
  const carry = takesTokenFile ? FOR_JOB : `# then bring token.json to ${path}, in place of what is there`;
  return [
    [`Log in at a terminal that sees the same file (${path}), then start this again:`, here],
    [
      "Log in at a terminal into a file of its own, and give it to the job:",
      `OIDC_TOKEN_FILE=token.json ${command}`,
      carry,
    ],
    [
      "If somebody does read this output, let them enter a code on any device:",
      `${here} --flow device --interactive            # in code: flow: "device", interactive: true`,
      ANYWHERE,
    ],
  ];
}

/** By the program itself. */
function ownWays({ path, backend, takesTokenFile }: TokenStore, { loginCommand }: LoginWay): Way[] {
  const where = path === undefined ? `reaches ${backend.description}` : `sees the same file (${path})`;
  const command = loginCommand ?? '# with this program: flow: "device", interactive: true';
  return [
    [`Log in at a terminal that ${where}, then start this again:`, command],
    ...(takesTokenFile && loginCommand !== undefined
      ? [
          [
            "Log in at a terminal into a file of its own, and give it to the job:",
            `OIDC_TOKEN_FILE=token.json ${loginCommand}`,
            FOR_JOB,
          ] as Way,
        ]
      : []),
    ["If somebody does read this output, let them enter a code on any device:", ANYWHERE],
  ];
}

/** The command that logs in to the same server in the same way. */
export function loginCommand(config: Config, { account }: Pick<LoginWay, "account"> = {}): string {
  const words = [
    "oidc-auth",
    config.host,
    ...flags(config),
    ...(account === undefined ? [] : ["--account", account]),
  ];
  return words.map(shellWord).join(" ");
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

function issuerFlags({ issuer, clientId, resource, audience, dpop }: IssuerSettings): string[] {
  return [
    ...(clientId === undefined ? [] : ["--client-id", clientId]),
    // Where there is no issuer, the API itself stands in its place.
    ...(issuer === undefined ? ["--api"] : resource === undefined ? [] : ["--resource", resource]),
    ...(audience === undefined ? [] : ["--audience", audience]),
    ...(dpop ? ["--dpop"] : []),
  ];
}
