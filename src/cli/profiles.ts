import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
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
}

type Env = Readonly<Record<string, string | undefined>>;

/** Where profiles are kept: the platform's folder for settings, or where `OIDC_AUTH_CONFIG` says. */
export function profilesPath(env: Env, platform: NodeJS.Platform = process.platform): string {
  const named = env["OIDC_AUTH_CONFIG"]?.trim();
  if (named) return named;
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  if (platform === "win32")
    return join(env["APPDATA"] || join(home, "AppData", "Roaming"), "oidc-auth", "config.json");
  if (platform === "darwin") return join(home, "Library", "Application Support", "oidc-auth", "config.json");
  return join(env["XDG_CONFIG_HOME"]?.trim() || join(home, ".config"), "oidc-auth", "config.json");
}

/** A name that no address can be: no dot, colon or slash, and not this machine's own name. */
export function isProfileName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(text) && text.toLowerCase() !== "localhost";
}

/** All profiles. @throws AuthError `invalid_config` where the file is there and cannot be read */
export function readProfiles(env: Env): Readonly<Record<string, Profile>> {
  const path = profilesPath(env);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw unreadable(path, "it cannot be read");
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw unreadable(path, "it is not valid JSON");
  }
  const profiles = isRecord(content) ? (content["profiles"] ?? {}) : undefined;
  if (!isRecord(profiles) || !Object.values(profiles).every(isRecord)) {
    throw unreadable(
      path,
      'it must look like {"profiles": {"prod": {"issuer": "https://…", "clientId": "…"}}}',
    );
  }
  // Without a prototype, so that no name means more than what stands in the file.
  return Object.assign(Object.create(null), profiles) as Record<string, Profile>;
}

function unreadable(path: string, why: string): AuthError {
  return new AuthError("invalid_config", `The settings in ${cleanText(path)} cannot be used: ${why}.`, {
    hint: "Correct the file, or name another one in OIDC_AUTH_CONFIG.",
  });
}
