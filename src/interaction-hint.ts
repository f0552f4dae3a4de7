import { Config, type ConfigInit } from "./config.js";
import { dropUndefined } from "./settings/checks.js";
import type { IssuerSettings } from "./settings/issuer.js";
import { DEFAULT_ROUTES, type RoutesSettings } from "./settings/routes.js";
import { shellWord } from "./shell-word.js";
import { defaultStorePath } from "./store/default-path.js";
import type { TokenStore } from "./store/token-store.js";

/** How this program logs in, as far as a command has to say it. */
export interface LoginWay {
  readonly account?: string | undefined;
  readonly loginCommand?: string | undefined;
  /** Whether it asks nobody, whatever its surroundings are. */
  readonly asksNobody?: boolean;
}

/** The exact commands and variables that help a job which nobody sits in front of. */
export function interactionHint(config: Config, store: TokenStore, way: LoginWay): string {
  const { path, takesTokenFile } = store;
  // Commands of ours know neither a key nor another backend: what they wrote the program would not find.
  const ours =
    path !== undefined && !store.sealed && canBeSaid(config) ? loginCommand(config, way) : undefined;
  const command = way.loginCommand ?? ours;
  const file =
    way.loginCommand === undefined && path !== undefined && path !== defaultStorePath() ? path : "";
  const here = `${file && `OIDC_TOKEN_FILE=${shellWord(file)} `}${command}`;
  const where = path === undefined ? `reaches ${store.backend.description}` : `sees the same file (${path})`;
  const ways: [about: string, ...lines: string[]][] = [
    [
      `Log in at a terminal that ${where}, then start this again:`,
      command === undefined ? '# with this program: flow: "device", interactive: true' : here,
    ],
  ];
  if (command !== undefined && (takesTokenFile || way.loginCommand === undefined)) {
    ways.push([
      "Log in at a terminal into a file of its own, and give it to the job:",
      `OIDC_TOKEN_FILE=token.json ${command}`,
      takesTokenFile ? FOR_JOB : `# then bring token.json to ${path}, in place of what is there`,
    ]);
  }
  if (!way.asksNobody) {
    const device = `${here} --flow device --interactive            # in code: flow: "device", interactive: true`;
    ways.push([
      "If somebody does read this output, let them enter a code on any device:",
      ...(command?.startsWith("oidc-auth ") ? [device] : []),
      ANYWHERE,
    ]);
  }
  const numbered = ways.map(([about, ...lines], n) => [`  ${n + 1}. ${about}`, ...lines].join("\n    "));
  return ["do one of these:", ...numbered].join("\n");
}

const FOR_JOB = "export OIDC_TOKEN_FILE=/path/to/token.json        # for the job";
const ANYWHERE = "export INTERACTIVE_SESSION=1                      # or for all programs";

/** The command that logs in to the same server in the same way. */
function loginCommand(config: Config, { account }: LoginWay): string {
  const words = [
    "oidc-auth",
    config.host,
    ...flags(config),
    ...(account === undefined ? [] : ["--account", account]),
  ];
  return words.map(shellWord).join(" ");
}

/** Whether the flags below make the very same login: a program may ask for more than they can say. */
function canBeSaid({ settings, storeKey }: Config): boolean {
  if (settings.credentials !== undefined) return false;
  if (settings.kind === "routes") return true;
  const { issuer, clientId, resource, audience, scopes, dpop, endpoints, redirectUri } = settings;
  const { clientSecret, privateKey, clientAuthMethod } = settings;
  if (clientSecret !== undefined || privateKey !== undefined || clientAuthMethod !== undefined) return false;
  if (endpoints !== undefined || redirectUri !== undefined) return false;
  const said = dropUndefined({ issuer, clientId, resource, audience, scopes, dpop });
  return new Config(said as ConfigInit).storeKey === storeKey;
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
