import { Config, type ConfigInit } from "../config.js";
import type { Target } from "../flows/session.js";
import type { AuthenticateOptions } from "../options.js";
import { dropUndefined } from "../settings/checks.js";
import { TokenStore } from "../store/token-store.js";
import { type Input, isOn, numberOf, type Option, textOf, UsageError, wordOf } from "./command.js";
import { type CliIo, warnOn } from "./io.js";
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
  "client-secret-env": { type: "string", value: "NAME", help: "the variable that holds the client's secret" },
  qr: { type: "boolean", help: "show a QR code of the address (default: where it fits); --no-qr: never" },
  plain: { type: "boolean", help: "plain lines, for screen readers: nothing moves" },
  explain: { type: "boolean", help: "tell why each step is taken or skipped" },
} as const satisfies Record<string, Option>;

/** What a command works on. */
export interface Resolved {
  readonly target: Target;
  readonly config: Config;
  readonly options: AuthenticateOptions & { readonly store: TokenStore };
  readonly store: TokenStore;
  /** The name of the profile that says so. */
  readonly profile: string | undefined;
}

const FLOWS = ["auto", "device", "code"] as const;

/** Finds out which server is meant, and how to log in there: an address, or the name of a profile. */
export async function resolveTarget(name: string, input: Input, io: CliIo): Promise<Resolved> {
  const profile = profileOf(name, io);
  const init = await initOf(name, profile, input, io);
  const config = new Config(init);
  const store = openStore(input, io, profile);
  const caFile = textOf(input, "ca-file") ?? profile?.caFile;
  const options = {
    store,
    ...dropUndefined({
      account: textOf(input, "account") ?? profile?.account,
      network: caFile === undefined ? undefined : { caFile },
      flow: wordOf(input, "flow", FLOWS),
      timeout: numberOf(input, "timeout"),
      requestTimeout: numberOf(input, "request-timeout"),
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
  return { target: config, config, store, options, profile: profile && name };
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
  const { account: _a, appName: _n, caFile: _c, host, issuer, resource, ...settings } = profile ?? {};
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

function secretOf(name: string, io: CliIo): string {
  const secret = io.env[name];
  if (!secret) throw new UsageError(`--client-secret-env names ${name}, which is not set`);
  return secret;
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

async function credentialsOf(input: Input) {
  const way = textOf(input, "credentials");
  if (way === undefined) return undefined;
  const [kind = "", ...more] = way.split(":");
  const value = more.join(":");
  const [{ clientCredentials }, workload] = await Promise.all([
    import("../credentials/grants.js"),
    import("../credentials/workload.js"),
  ]);
  if (way === "client") return clientCredentials();
  if (kind === "github") return workload.fromGitHubActions(value ? { audience: value } : {});
  if (way === "gitlab") return workload.fromGitLab();
  if (kind === "kubernetes") return workload.fromKubernetes(value ? { path: value } : {});
  if (kind === "file" && value) return workload.fromFile(value);
  if (kind === "env" && value) return workload.fromEnvironment(value);
  throw new UsageError(
    `--credentials takes client, github[:AUDIENCE], gitlab, kubernetes[:FILE], file:FILE or env:NAME (it is ${kind})`,
  );
}
