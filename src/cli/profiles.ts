import { join } from "node:path";
import { AuthError } from "../errors.js";
import { othersMayWrite, type RegularFile, readRegularFile } from "../files/regular-file.js";
import { isRecord } from "../jwt.js";
import { homeFolder } from "../store/default-path.js";
import { cleanText } from "../text.js";

/** A server and how to log in there, under a name of the person's own. Names are the library's. */
export interface Profile {
  readonly host?: string;
  readonly issuer?: string;
  readonly resource?: string;
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  readonly account?: string;
  readonly appName?: string;
  readonly redirectPorts?: readonly number[];
  readonly loginRoute?: string;
  readonly tokenRoute?: string;
  readonly deviceRoute?: string;
  readonly allowInsecureHost?: boolean;
  readonly dpop?: boolean;
  readonly caFile?: string;
  readonly requestTimeout?: number;
}

/** Settings larger than this are none. */
const MAX_BYTES = 1024 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

/** Where profiles are kept: the platform's folder for settings, or where `OIDC_AUTH_CONFIG` says. */
export function profilesPath(env: Env, platform: NodeJS.Platform = process.platform): string {
  const named = env["OIDC_AUTH_CONFIG"]?.trim();
  if (named) return named;
  const home = homeFolder(env);
  if (platform === "win32")
    return join(env["APPDATA"] || join(home, "AppData", "Roaming"), "oidc-auth", "config.json");
  if (platform === "darwin") return join(home, "Library", "Application Support", "oidc-auth", "config.json");
  return join(env["XDG_CONFIG_HOME"]?.trim() || join(home, ".config"), "oidc-auth", "config.json");
}

/** A name that no address can be: no dot, colon or slash, and not this machine's own name. */
export function isProfileName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(text) && text.toLowerCase() !== "localhost";
}

/** @param near the profile that was most likely meant */
export function unknownProfile(name: string, near?: string): AuthError {
  const make = near === undefined ? "Make one" : `Did you mean ${near}? If not, make one`;
  return new AuthError("invalid_config", `There is no profile ${name}.`, {
    hint: `${make}: oidc-auth config set ${name} HOST; or give a whole address, such as https://${name}.example.org.`,
  });
}

/** The settings as they stand in their file, with what is not ours in them. */
export interface Settings {
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly content: Readonly<Record<string, unknown>>;
}

/** All profiles. @throws AuthError `invalid_config` where the file is there and cannot be read */
export function readProfiles(env: Env, onWarning?: (message: string) => void): Settings["profiles"] {
  return readSettings(env, onWarning).profiles;
}

/**
 * @param onWarning told where others can change the file: it says where secrets are sent
 * @throws AuthError `invalid_config` where the file is there and cannot be read
 */
export function readSettings(env: Env, onWarning: (message: string) => void = () => {}): Settings {
  const path = profilesPath(env);
  let file: RegularFile;
  try {
    file = readRegularFile(path, MAX_BYTES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { profiles: named({}), content: {} };
    throw unreadable(path, code === undefined ? message : `it cannot be read (${code})`);
  }
  if (othersMayWrite(file.stat)) {
    onWarning(
      `The settings in ${path} can be changed by others, who choose where you log in: chmod 600 ${path}`,
    );
  }
  const content = parse(file.bytes.toString("utf8"), path);
  const profiles = isRecord(content) ? (content["profiles"] ?? {}) : undefined;
  if (!isRecord(content) || !isRecord(profiles) || !Object.values(profiles).every(isRecord)) {
    throw unreadable(
      path,
      'it must look like {"profiles": {"prod": {"issuer": "https://…", "clientId": "…"}}}',
    );
  }
  return { profiles: named(profiles as Settings["profiles"]), content };
}

/** Without a prototype, so that no name means more than what stands in the file. */
function named(profiles: Settings["profiles"]): Settings["profiles"] {
  return Object.assign(Object.create(null), profiles) as Settings["profiles"];
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    throw unreadable(path, "it is not valid JSON");
  }
}

function unreadable(path: string, why: string): AuthError {
  return new AuthError("invalid_config", `The settings in ${cleanText(path)} cannot be used: ${why}.`, {
    hint: "Correct the file, or name another one in OIDC_AUTH_CONFIG.",
  });
}
