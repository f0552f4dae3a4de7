import { Config, type ConfigInit } from "../config.js";
import { AuthError } from "../errors.js";
import type { Target } from "../flows/session.js";
import type { AuthenticateOptions } from "../options.js";
import { dropUndefined } from "../settings/checks.js";
import { shellQuote, shellWord } from "../shell-word.js";
import { serverSlot } from "../store/server-slot.js";
import { TokenStore } from "../store/token-store.js";
import { cleanText } from "../text.js";
import { type Input, isOn, numberOf, type Option, textOf, UsageError, wordOf } from "./command.js";
import { credentialsOf, secretOf } from "./credentials.js";
import { isEntryName, saidBy } from "./entry-name.js";
import { type CliIo, MAX_LINE, warnOn } from "./io.js";
import { nearName } from "./near-name.js";
import { namedStore, placeOf, scopesOf } from "./place.js";
import { isProfileName, type Profile, readProfiles, unknownProfile } from "./profiles.js";

/** Which server and which of its logins. */
export const TARGET_OPTIONS = {
  "client-id": {
    type: "string",
    value: "ID",
    help: "HOST is an issuer, where this program is registered under that name",
  },
  api: { type: "boolean", help: "HOST is an API, which says who gives tokens for it" },
  scopes: { type: "string", value: '"A B"', help: "what to ask for" },
  resource: { type: "string", value: "URL", help: "the API that the token is for (RFC 8707)" },
  audience: { type: "string", value: "NAME", help: "the same in the way of Auth0 and others" },
  dpop: { type: "boolean", help: "bind the token to a key (RFC 9449)" },
  account: { type: "string", value: "NAME", help: "one of several logins to the server" },
  "app-name": { type: "string", value: "NAME", help: "whose token file is used (default py-oidc-auth)" },
  store: { type: "string", value: "FILE", help: "the token file itself" },
  "login-route": {
    type: "string",
    short: "l",
    value: "PATH",
    help: "below the host (default /auth/v2/login)",
  },
  "token-route": { type: "string", short: "t", value: "PATH", help: "(default /auth/v2/token)" },
  "device-route": { type: "string", short: "d", value: "PATH", help: "(default /auth/v2/device)" },
  "ca-file": {
    type: "string",
    value: "FILE",
    help: "certificate authorities that are trusted beside the usual ones",
  },
  "request-timeout": {
    type: "string",
    value: "SECONDS",
    help: "how long one request to the server may take (default 30)",
  },
  "allow-insecure-host": { type: "boolean", help: "allow plain http to another machine" },
} as const satisfies Record<string, Option>;

/** What a client that has a secret needs for more than its login: to renew and to revoke. */
export const SECRET_OPTION = {
  "client-secret-env": { type: "string", value: "NAME", help: "the variable that holds the client's secret" },
} as const satisfies Record<string, Option>;

/** How a person, or a job, logs in. */
export const LOGIN_OPTIONS = {
  flow: {
    type: "string",
    value: "FLOW",
    help: "auto (default), device (a code, entered on any device), code (the browser here)",
  },
  timeout: { type: "string", value: "SECONDS", help: "how long the person has for the login" },
  ports: {
    type: "string",
    short: "p",
    value: "PORT,...",
    multiple: true,
    help: "ports the browser may come back to",
  },
  interactive: {
    type: "boolean",
    help: "take it that somebody can log in here; --no-interactive: that nobody can",
  },
  browser: { type: "boolean", help: "--no-browser: show the address, and open no browser" },
  credentials: {
    type: "string",
    value: "WAY",
    help: "log in without a person: client, github[:AUDIENCE], gitlab, kubernetes[:FILE], file:FILE, env:NAME",
  },
  ...SECRET_OPTION,
  qr: { type: "boolean", help: "show a QR code of the address (default: where it fits); --no-qr: never" },
  plain: { type: "boolean", help: "plain lines, for screen readers: nothing moves" },
  explain: { type: "boolean", help: "tell why each step is taken or skipped" },
} as const satisfies Record<string, Option>;

/** What a command works on. */
export interface Resolved {
  readonly target: Target;
  readonly config: Config;
  /** `loginCommand` is with all that the command line said: another login would not do. */
  readonly options: AuthenticateOptions & { readonly store: TokenStore; readonly loginCommand: string };
  readonly store: TokenStore;
  /** What the command line said. */
  readonly input: Input;
}

const FLOWS = ["auto", "device", "code"] as const;

/**
 * Finds out which server is meant, and how to log in there: by an address, by the name of a profile, or by that of a
 * login as `oidc-auth list` shows it.
 */
export async function resolveTarget(name: string, input: Input, io: CliIo): Promise<Resolved> {
  if (isEntryName(name)) return resolveEntry(name, input, io);
  const profile = profileOf(name, io);
  const init = await initOf(name, profile, input, io);
  const config = new Config(init);
  const store = openStore(input, io, profile);
  const caFile = textOf(input, "ca-file") ?? profile?.caFile;
  const options = {
    store,
    loginCommand: commandOf(profile ? ["oidc-auth", "login"] : ["oidc-auth"], name, input),
    ...dropUndefined({
      account: textOf(input, "account") ?? profile?.account,
      network: caFile === undefined ? undefined : { caFile },
      flow: wordOf(input, "flow", FLOWS),
      timeout: numberOf(input, "timeout"),
      requestTimeout: numberOf(input, "request-timeout") ?? profile?.requestTimeout,
      interactive: input.values["interactive"] as boolean | undefined,
    }),
    openBrowser: input.values["browser"] !== false,
    terminal: { qr: input.values["qr"] as boolean | undefined, plain: isOn(input, "plain") },
    env: io.env,
    signal: io.signal,
    ...(isOn(input, "explain") && {
      explain: (step: string) => void io.stderr.write(`oidc-auth: ${step}\n`),
    }),
  };
  return { target: config, config, store, options, input };
}

/** @throws AuthError `not_supported` where no options say which login it is */
async function resolveEntry(name: string, input: Input, io: CliIo): Promise<Resolved> {
  const said = saidBy(name);
  const values = { ...input.values, ...said?.options };
  const resolved = said && (await resolveTarget(said.address, { ...input, values }, io));
  const slot = resolved && serverSlot(resolved.config, resolved.options.account);
  if (resolved && slot?.ownKey === serverSlot(name).ownKey) return resolved;
  throw new AuthError(
    "not_supported",
    `The server of ${cleanText(name, MAX_LINE)} cannot be asked: no options of the command line say what this login is.`,
    {
      hint: `Forget it without telling the server: oidc-auth remove ${shellQuote(name)}${storeWords(input)}`,
    },
  );
}

/** A command for the same server: with all that the command line said of it, and that a login needs. */
function commandOf(command: readonly string[], name: string, input: Input): string {
  const names = [...Object.keys(TARGET_OPTIONS), "ports", "client-secret-env"];
  return [...command, shellWord(name), ...optionsOf(input, names)].join(" ");
}

/** What names the store, for another command. */
export function storeWords(input: Input): string {
  return optionsOf(input, ["app-name", "store"])
    .map((word) => ` ${word}`)
    .join("");
}

function optionsOf(input: Input, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = input.values[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, shellWord(String(value))];
  });
}

/** The store that a command works on. */
export function openStore(input: Input, io: CliIo, profile?: Profile): TokenStore {
  const onWarning = warnOn(io);
  const path = namedStore({ path: textOf(input, "store"), appName: textOf(input, "app-name") }, io.env);
  const where = path === undefined ? { appName: profile?.appName } : { path };
  return new TokenStore({ ...where, env: io.env, onWarning });
}

function profileOf(name: string, io: CliIo): Profile | undefined {
  if (!isProfileName(name)) return undefined;
  const profiles = readProfiles(io.env, warnOn(io));
  const profile = profiles[name];
  if (profile) return profile;
  throw unknownProfile(name, nearName(name, Object.keys(profiles)));
}

async function initOf(
  name: string,
  profile: Profile | undefined,
  input: Input,
  io: CliIo,
): Promise<ConfigInit> {
  const {
    account: _a,
    appName: _n,
    caFile: _c,
    requestTimeout: _r,
    host,
    issuer,
    resource,
    ...settings
  } = profile ?? {};
  const secretName = textOf(input, "client-secret-env");
  const given = dropUndefined({
    clientId: textOf(input, "client-id"),
    scopes: scopesOf(textOf(input, "scopes")),
    audience: textOf(input, "audience"),
    dpop: isOn(input, "dpop") || undefined,
    loginRoute: textOf(input, "login-route"),
    tokenRoute: textOf(input, "token-route"),
    deviceRoute: textOf(input, "device-route"),
    redirectPorts: portsOf(input),
    allowInsecureHost: isOn(input, "allow-insecure-host") || undefined,
    clientSecret: secretName === undefined ? undefined : secretOf(secretName, io),
    credentials: await credentialsOf(input),
  });
  const asked = textOf(input, "resource");
  const place = profile
    ? { host, issuer, resource: asked ?? resource }
    : placeOf(name, { api: isOn(input, "api"), resource: asked, ...given });
  return { ...settings, ...given, ...dropUndefined(place) } as unknown as ConfigInit;
}

export function portsOf(input: Input): number[] | undefined {
  const given = input.values["ports"];
  if (!Array.isArray(given)) return undefined;
  return given
    .flatMap((list) => String(list).split(","))
    .map((text) => {
      const number = Number(text);
      if (!/^\d+$/.test(text) || number < 1 || number > 65_535) {
        throw new UsageError(`--ports takes whole numbers from 1 to 65535 (it is ${text})`);
      }
      return number;
    });
}
