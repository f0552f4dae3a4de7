import { resolve } from "node:path";
import { Config, type ConfigInit } from "../../config.js";
import { AuthError } from "../../errors.js";
import { replaceFile } from "../../files/replace-file.js";
import { dropUndefined } from "../../settings/checks.js";
import { defaultStorePath } from "../../store/default-path.js";
import { serverSlot } from "../../store/server-slot.js";
import { cleanText } from "../../text.js";
import { type Command, type Input, isOn, JSON_OPTION, numberOf, textOf, UsageError } from "../command.js";
import { type CliIo, MAX_LINE, print, warnOn } from "../io.js";
import { nearName } from "../near-name.js";
import { placeOf, scopesOf } from "../place.js";
import {
  isProfileName,
  type Profile,
  profilesPath,
  readSettings,
  type Settings,
  unknownProfile,
} from "../profiles.js";
import { LOGIN_OPTIONS, portsOf, TARGET_OPTIONS } from "../target.js";

/** How many words each action takes, itself among them; `set` as many as the command does. */
const MOST_WORDS: Readonly<Record<string, number>> = { path: 1, show: 2, remove: 2 };

export const command: Command = {
  usage: "config set NAME HOST [options] | config show [NAME] | config remove NAME | config path",
  about:
    "Keeps servers under names of your own, so that `oidc-auth token prod` works. They stand in a JSON file of settings (OIDC_AUTH_CONFIG names another one); it holds no token and no secret.",
  words: [1, 3],
  options: { ...JSON_OPTION, ...TARGET_OPTIONS, ports: LOGIN_OPTIONS.ports },
  examples: [
    "oidc-auth config set prod https://login.example.org/realms/x --client-id my-cli",
    "oidc-auth config set api https://api.example.org/mcp --api",
    "oidc-auth config show",
    "oidc-auth token prod",
  ],
  async run(input, io) {
    const [action = "", name, host] = input.positionals;
    const surplus = input.positionals[MOST_WORDS[action] ?? 3];
    if (surplus !== undefined) throw new UsageError(`${surplus} is too much`);
    const settings = readSettings(io.env, warnOn(io));
    const { profiles } = settings;
    const path = profilesPath(io.env);
    switch (action) {
      case "path":
        print(io, isOn(input, "json"), { path }, `${path}\n`);
        return 0;
      case "show":
        return show(profiles, name, input, io);
      case "set":
        if (name === undefined || host === undefined)
          throw new UsageError("config set takes a NAME and a HOST");
        await write(path, settings, { ...profiles, [profileName(name)]: profileFrom(host, input) });
        io.stderr.write(`Kept ${name} in ${path}.\n`);
        return 0;
      case "remove": {
        if (name === undefined) throw new UsageError("config remove takes a NAME");
        const { [name]: had, ...rest } = profiles;
        if (had) await write(path, settings, rest);
        print(
          io,
          isOn(input, "json"),
          { removed: had !== undefined },
          had ? `Removed ${name}.\n` : `There was no profile ${name}.\n`,
        );
        return 0;
      }
      default:
        throw new UsageError(`config takes set, show, remove or path (it is ${action})`);
    }
  },
};

function show(
  profiles: Readonly<Record<string, Profile>>,
  name: string | undefined,
  input: Input,
  io: CliIo,
): number {
  if (name !== undefined && !profiles[name])
    throw unknownProfile(name, nearName(name, Object.keys(profiles)));
  const shown = name === undefined ? profiles : { [name]: profiles[name] };
  if (Object.keys(shown).length === 0) io.stderr.write(`There are no profiles in ${profilesPath(io.env)}.\n`);
  const lines = Object.entries(shown).map(([key, profile]) => {
    const { host, issuer, resource, clientId } = profile ?? {};
    const place = [host, issuer, resource].find((one) => typeof one === "string") ?? "";
    const client = typeof clientId === "string" ? ` (${clientId})` : "";
    return `${cleanText(`${key}: ${place}${client}`, MAX_LINE)}\n`;
  });
  print(io, isOn(input, "json"), shown, lines.join(""));
  return 0;
}

function profileName(name: string): string {
  if (isProfileName(name)) return name;
  throw new UsageError(
    `NAME takes letters, digits, - and _ (it is ${name}): an address must not be mistaken for it`,
  );
}

/** Checked as it will be used, so that a mistake is told now. */
function profileFrom(host: string, input: Input): Profile {
  if (textOf(input, "store") !== undefined)
    throw new UsageError(
      "a profile keeps no --store: name an application by --app-name, or set OIDC_TOKEN_FILE",
    );
  const said = {
    clientId: textOf(input, "client-id"),
    audience: textOf(input, "audience"),
    dpop: isOn(input, "dpop") || undefined,
  };
  const settings = dropUndefined({
    ...placeOf(host, { ...said, api: isOn(input, "api"), resource: textOf(input, "resource") }),
    ...said,
    scopes: scopesOf(textOf(input, "scopes")),
    redirectPorts: portsOf(input),
    loginRoute: textOf(input, "login-route"),
    tokenRoute: textOf(input, "token-route"),
    deviceRoute: textOf(input, "device-route"),
    allowInsecureHost: isOn(input, "allow-insecure-host") || undefined,
  });
  const config = new Config(settings as unknown as ConfigInit);
  const caFile = textOf(input, "ca-file");
  const more = {
    account: textOf(input, "account"),
    appName: textOf(input, "app-name"),
    // The profile is used in other folders, too.
    caFile: caFile && resolve(caFile),
    requestTimeout: numberOf(input, "request-timeout"),
  };
  serverSlot(config, more.account);
  if (more.appName !== undefined) defaultStorePath(more.appName, {});
  // As it was understood: what stood before an @ is a secret, and not kept.
  const understood = "host" in settings && { host: config.host };
  return { ...settings, ...understood, ...dropUndefined(more) } as Profile;
}

/** What else stands in the file is kept. */
async function write(path: string, { content }: Settings, profiles: Settings["profiles"]): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify({ ...content, profiles }, null, 2)}\n`);
  } catch (error) {
    throw new AuthError("invalid_config", `The settings cannot be written to ${path}.`, {
      hint: "Make the folder writable, or name another file in OIDC_AUTH_CONFIG.",
      cause: error,
    });
  }
}
