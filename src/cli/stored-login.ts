import { parseHost } from "../settings/address.js";
import { shellQuote } from "../shell-word.js";
import { type StoreTarget, serverSlot } from "../store/server-slot.js";
import type { TokenStore } from "../store/token-store.js";
import { cleanText } from "../text.js";
import type { Input } from "./command.js";
import { isEntryName, saidBy, wordsOf } from "./entry-name.js";
import { type CliIo, MAX_LINE } from "./io.js";
import { openStore, type Resolved, resolveTarget, storeWords } from "./target.js";

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
  readonly input: Input;
}

/** Finds the place of a login: by an address, by a profile, or by its name as `oidc-auth list` shows it. */
export async function storedLogin(name: string, input: Input, io: CliIo): Promise<StoredLogin> {
  if (isEntryName(name)) {
    const { server } = serverSlot(name);
    return {
      ...{ store: openStore(input, io), place: name, server, input },
      account: undefined,
      resolved: undefined,
    };
  }
  return loginOf(await resolveTarget(name, input, io));
}

/** The login of what a command line named. */
export function loginOf(resolved: Resolved): StoredLogin {
  const { store, config, options, input } = resolved;
  const { account } = options;
  const server = account === undefined ? config.host : `${config.host}#${account}`;
  return { store, place: config, account, server, resolved, input };
}

/** Lines that tell which other logins there are at the same origin, and what has to be added to mean one of them. */
export async function storedBelow(login: StoredLogin): Promise<string> {
  const { store, place, server, account, resolved, input } = login;
  const { origin } = parseHost(server);
  const own = serverSlot(place, account).server;
  const isOther = (name: string) => name !== own && URL.canParse(name) && new URL(name).origin === origin;
  const names = (await store.hosts()).filter(isOther);
  const bare = resolved?.config.settings.kind === "routes" && account === undefined;
  const lines = names.slice(0, MAX_SHOWN).map((name) => {
    const said = bare ? saidBy(name) : undefined;
    const words = said?.address === server ? wordsOf(said) : "";
    const next = words ? `add ${words}.` : `oidc-auth status ${shellQuote(name)}${storeWords(input)}`;
    return `There is ${cleanText(name, MAX_LINE)}: ${next}\n`;
  });
  const more = names.length - lines.length;
  return lines.join("") + (more > 0 ? `There are ${more} more: oidc-auth list${storeWords(input)}\n` : "");
}
