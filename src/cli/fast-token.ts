import { Config, type ConfigInit } from "../config.js";
import { readRegularFile } from "../files/regular-file.js";
import { dropUndefined } from "../settings/checks.js";
import type { Entry } from "../store/backend.js";
import { storePath } from "../store/default-path.js";
import { tokenFromEntry } from "../store/entry.js";
import { dangersOf, refusePlantedLink } from "../store/file-dangers.js";
import { StoreDocument } from "../store/file-document.js";
import { serverSlot } from "../store/server-slot.js";
import { isUsable } from "../token.js";
import { isEntryName } from "./entry-name.js";
import { namedStore, placeOf, scopesOf } from "./place.js";
import { isProfileName, readProfiles } from "./profiles.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Options that do not keep a command line from the fast path. */
const KNOWN = ["--client-id", "--scopes", "--audience", "--resource", "--account", "--app-name", "--store"];
const MAX_BYTES = 1024 * 1024;

/**
 * What `oidc-auth token HOST` prints where a good token is stored. `undefined` wherever anything is out of the ordinary:
 * then the whole program decides, and says what is wrong.
 */
export function fastToken(argv: readonly string[], env: Env): string | undefined {
  try {
    const asked = argv[0] === "token" && !env["OIDC_AUTH_DEBUG"] ? readWords(argv.slice(1)) : undefined;
    return asked && storedToken(asked, env);
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly name: string;
  readonly header: boolean;
  readonly options: ReadonlyMap<string, string>;
}

function readWords(words: readonly string[]): Asked | undefined {
  const options = new Map<string, string>();
  let [name, header]: [string | undefined, boolean] = [undefined, false];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const [flag = "", ...inline] = word.split("=");
    if (word === "--header") header = true;
    else if (KNOWN.includes(flag)) {
      const value = inline.length > 0 ? inline.join("=") : words[++index];
      if (value === undefined || value.startsWith("-")) return undefined;
      options.set(flag, value);
    } else if (word.startsWith("-") || name !== undefined) return undefined;
    else name = word;
  }
  return name === undefined ? undefined : { name, header, options };
}

function storedToken({ name, header, options }: Asked, env: Env): string | undefined {
  if (isEntryName(name)) return undefined;
  const profile = isProfileName(name) ? readProfiles(env, leave)[name] : undefined;
  if (isProfileName(name) && !profile) return undefined;
  const { account, appName, caFile: _c, requestTimeout: _r, ...settings } = profile ?? {};
  const given = dropUndefined({
    clientId: options.get("--client-id"),
    scopes: scopesOf(options.get("--scopes")),
    audience: options.get("--audience"),
    resource: options.get("--resource"),
  });
  const place = profile ? {} : placeOf(name, given);
  const config = new Config({ ...settings, ...place, ...given } as unknown as ConfigInit);
  const named = namedStore({ path: options.get("--store"), appName: options.get("--app-name") }, env);
  const path = storePath({ path: named, appName }, env);
  const entry = findEntry(path, serverSlot(config, options.get("--account") ?? account));
  const token = entry && tokenFromEntry(entry);
  if (!token || !isUsable(token, Date.now())) return undefined;
  return header ? `Authorization: ${token.headers.Authorization}\n` : `${token.accessToken}\n`;
}

/** What is to be told is for the whole program to tell. */
function leave(): never {
  throw new Error("There is something to tell.");
}

/** The entry as the store itself would find it; nothing where the file needs mending or a warning. */
function findEntry(
  path: string,
  { server, sharedKey, ownKey }: ReturnType<typeof serverSlot>,
): Entry | undefined {
  refusePlantedLink(path);
  const { bytes, stat } = readRegularFile(path, MAX_BYTES);
  if (dangersOf(path, stat).length > 0) return undefined;
  const document = StoreDocument.parse(bytes);
  const shared = document?.get(sharedKey);
  if (shared?.server === server) return shared;
  return document?.get(ownKey) ?? (shared?.server === undefined ? shared : undefined);
}
