import { AuthError } from "../errors.js";
import { parseHost } from "../settings/address.js";
import { shellQuote } from "../shell-word.js";
import { type StoreTarget, serverSlot } from "../store/server-slot.js";
import type { TokenStore } from "../store/token-store.js";
import { cleanText } from "../text.js";
import type { Input } from "./command.js";
import { isEntryName, saidBy, wordsOf } from "./entry-name.js";
import { type CliIo, MAX_LINE } from "./io.js";
import { openStore, type Resolved, resolveTarget } from "./target.js";

/** More logins than these are not for people. */
const MAX_SHOWN = 10;

/** Where a login is, or would be, in a store. */
export interface StoredLogin {
  readonly store: TokenStore;
  readonly place: StoreTarget;
  readonly account: string | undefined;
  /** Whose it is, for people. */
  readonly server: string;
  /** What it is named by, where that is an address or a profile. */
  readonly resolved: Resolved | undefined;
}

/** Finds the place of a login: by an address, by a profile, or by its name as `oidc-auth list` shows it. */
export async function storedLogin(name: string, input: Input, io: CliIo): Promise<StoredLogin> {
  if (isEntryName(name)) {
    const { server } = serverSlot(name);
    return { store: openStore(input, io), place: name, account: undefined, server, resolved: undefined };
  }
  return loginOf(await resolveTarget(name, input, io));
}

/** The login of what a command line named. */
export function loginOf(resolved: Resolved): StoredLogin {
  const { store, config, options } = resolved;
  return { store, place: config, account: options.account, server: config.host, resolved };
}

/**
 * The server of a login that is named as `oidc-auth list` shows it.
 *
 * @throws AuthError `not_supported` where no options say which login it is
 */
export async function resolveEntry(name: string, input: Input, io: CliIo): Promise<Resolved> {
  const said = saidBy(name);
  const values = { ...input.values, ...said?.options };
  const resolved = said && (await resolveTarget(said.address, { ...input, values }, io));
  const slot = resolved && serverSlot(resolved.config, resolved.options.account);
  if (resolved && slot?.ownKey === serverSlot(name).ownKey) return resolved;
  throw new AuthError(
    "not_supported",
    `The server of ${cleanText(name, MAX_LINE)} cannot be asked: no options of the command line say what this login is.`,
    { hint: `Forget it without telling the server: oidc-auth remove ${shellQuote(name)}` },
  );
}

/** Lines that tell which other logins there are at the same origin, and what has to be added to mean one of them. */
export async function storedBelow(login: StoredLogin): Promise<string> {
  const { store, place, server, account, resolved } = login;
  const { origin } = parseHost(server);
  const own = serverSlot(place, account).server;
  const isOther = (name: string) => name !== own && URL.canParse(name) && new URL(name).origin === origin;
  const names = (await store.hosts()).filter(isOther);
  const bare = resolved?.config.settings.kind === "routes" && account === undefined;
  const lines = names.slice(0, MAX_SHOWN).map((name) => {
    const said = bare ? saidBy(name) : undefined;
    const words = said?.address === server ? wordsOf(said) : "";
    return `There is ${cleanText(name, MAX_LINE)}${words && `: add ${words}`}.\n`;
  });
  const more = names.length - lines.length;
  return lines.join("") + (more > 0 ? `There are ${more} more: oidc-auth list\n` : "");
}
