import { join, resolve } from "node:path";
import { invalid } from "../settings/checks.js";

/** Folder name of the Python client, so that both share their logins. */
export const DEFAULT_APP_NAME = "py-oidc-auth";
const FILE_NAME = "token-store.json";

type Env = Readonly<Record<string, string | undefined>>;

/** The person's home. Node's module is asked, and loaded (0.2 ms), only where no variable says it. */
export function homeFolder(env: Env): string {
  return env["HOME"] || env["USERPROFILE"] || process.getBuiltinModule("node:os").homedir();
}

/** Where the Python client keeps its tokens: the platform's cache folder for the application. */
export function defaultStorePath(
  appName: string = DEFAULT_APP_NAME,
  env: Env = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (typeof appName !== "string" || !/^[^/\\\0]+$/.test(appName) || appName === "." || appName === "..") {
    throw invalid("appName", "must be the name of a folder", appName);
  }
  const home = homeFolder(env);
  if (platform === "win32") {
    const local = env["LOCALAPPDATA"] || join(home, "AppData", "Local");
    return join(local, appName, appName, "Cache", FILE_NAME);
  }
  if (platform === "darwin") return join(home, "Library", "Caches", appName, FILE_NAME);
  const cache = env["XDG_CACHE_HOME"]?.trim();
  return join(cache ? cache : join(home, ".cache"), appName, FILE_NAME);
}

/** A path as a person writes it: `~` is their home, the rest is taken from the working folder. */
export function expandPath(path: string, env: Env = process.env): string {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw invalid("path", "must be the path of a file", path);
  }
  const home = homeFolder(env);
  if (path === "~") return home;
  return resolve(path.startsWith("~/") || path.startsWith("~\\") ? join(home, path.slice(2)) : path);
}

/**
 * The file of a store: as given, else what `OIDC_TOKEN_FILE` names, else the usual one. The person who starts a job knows
 * better where its tokens are than the program's author, who only names an application.
 */
export function storePath(
  { path, appName }: { path?: string | undefined; appName?: string | undefined },
  env: Env = process.env,
): string {
  if (path !== undefined) return expandPath(path, env);
  const tokenFile = env["OIDC_TOKEN_FILE"]?.trim();
  if (tokenFile) return expandPath(tokenFile, env);
  return defaultStorePath(appName, env);
}
