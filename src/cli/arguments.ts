import { parseArgs } from "node:util";
import type { FlowName } from "../options.js";

/** What the command line asks for. */
export type Command =
  | { readonly name: "help" }
  | { readonly name: "version" }
  | { readonly name: "list"; readonly stores: StoreArguments }
  | { readonly name: "clear"; readonly stores: StoreArguments }
  | { readonly name: "remove"; readonly host: string; readonly stores: StoreArguments }
  | {
      readonly name: "login";
      readonly host: string;
      readonly login: LoginArguments;
      readonly stores: StoreArguments;
    };

export interface StoreArguments {
  readonly appName: string | undefined;
  readonly json: boolean;
}

export interface LoginArguments {
  readonly loginRoute: string | undefined;
  readonly tokenRoute: string | undefined;
  readonly deviceRoute: string | undefined;
  readonly redirectPorts: readonly number[] | undefined;
  readonly force: boolean;
  readonly timeout: number | undefined;
  readonly flow: FlowName | undefined;
  readonly interactive: boolean | undefined;
  readonly browser: boolean;
  readonly allowInsecureHost: boolean;
  /** With one, HOST is an issuer. */
  readonly clientId: string | undefined;
  readonly resource: string | undefined;
  /** Whether HOST is an API, which is asked for its issuer. */
  readonly api: boolean;
  readonly audience: string | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** Wrong usage: the program ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const OPTIONS = {
  "login-route": { type: "string", short: "l" },
  "token-route": { type: "string", short: "t" },
  "device-route": { type: "string", short: "d" },
  ports: { type: "string", short: "p", multiple: true },
  force: { type: "boolean", short: "f" },
  timeout: { type: "string" },
  "app-name": { type: "string" },
  json: { type: "boolean" },
  flow: { type: "string" },
  interactive: { type: "boolean" },
  browser: { type: "boolean" },
  "allow-insecure-host": { type: "boolean" },
  "client-id": { type: "string" },
  resource: { type: "string" },
  api: { type: "boolean" },
  audience: { type: "string" },
  scopes: { type: "string" },
  list: { type: "boolean" },
  clear: { type: "boolean" },
  remove: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

/** @throws UsageError naming the argument */
export function parseArguments(argv: readonly string[]): Command {
  const { values, positionals } = parse(argv);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  const stores: StoreArguments = { appName: values["app-name"], json: values.json ?? false };
  const actions = [
    values.list && "--list",
    values.clear && "--clear",
    values.remove !== undefined && "--remove",
  ];
  const [action, second] = actions.filter((one) => typeof one === "string");
  if (second) throw new UsageError(`${action} and ${second} cannot be given together`);
  const [host, surplus] = positionals;
  if (action) {
    if (host !== undefined) throw new UsageError(`${action} takes no host beside it (${host} is too much)`);
    if (action === "--remove") return { name: "remove", host: values.remove ?? "", stores };
    return { name: action === "--list" ? "list" : "clear", stores };
  }
  if (host === undefined) throw new UsageError("a HOST is missing, such as https://auth.example.org");
  if (surplus !== undefined) throw new UsageError(`one HOST is enough (${surplus} is too much)`);
  return { name: "login", host, stores, login: loginArguments(values) };
}

type Values = ReturnType<typeof parse>["values"];

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: spreadPorts(argv),
      options: OPTIONS,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    });
  } catch (error) {
    // Node's message explains itself in several sentences, of which the first names the argument.
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split(/\.\s/)[0] ?? message);
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

function loginArguments(values: Values): LoginArguments {
  return {
    loginRoute: values["login-route"],
    tokenRoute: values["token-route"],
    deviceRoute: values["device-route"],
    redirectPorts: values.ports?.flatMap((list) => list.split(",")).map(port),
    force: values.force ?? false,
    timeout: values.timeout === undefined ? undefined : seconds(values.timeout),
    flow: values.flow === undefined ? undefined : flow(values.flow),
    interactive: values.interactive,
    browser: values.browser ?? true,
    allowInsecureHost: values["allow-insecure-host"] ?? false,
    clientId: values["client-id"],
    resource: values.resource,
    api: values.api ?? false,
    audience: values.audience,
    scopes: values.scopes?.split(/[\s,]+/).filter(Boolean),
  };
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65_535) {
    throw new UsageError(`--ports takes whole numbers from 1 to 65535 (it is ${text})`);
  }
  return number;
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number <= 0) {
    throw new UsageError(`--timeout takes a number of seconds above 0 (it is ${text})`);
  }
  return number;
}

function flow(text: string): FlowName {
  if (text === "auto" || text === "device" || text === "code") return text;
  throw new UsageError(`--flow takes auto, device or code (it is ${text})`);
}
