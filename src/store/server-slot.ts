import type { Config } from "../config.js";
import { parseHost } from "../settings/address.js";
import { invalid } from "../settings/checks.js";
import { remembered } from "../settings/remembered.js";

/** How a server is named in a store: its address, a key as `hosts()` lists it, or a Config. */
export type StoreTarget = string | URL | Config;

/** Where a server's entry may be in a store, and what marks it as that server's. */
export interface ServerSlot {
  /** The server's full address: whose token it is. */
  readonly server: string;
  /** Key by origin: the Python client's, and the one we use as long as no other server below that origin has it. */
  readonly sharedKey: string;
  /** Key by full address, for a server whose origin's entry belongs to another one. */
  readonly ownKey: string;
}

/** The slots of servers, by their addresses: each look into a store begins with one, and most logins have no account. */
const known = new Map<string, ServerSlot>();

/**
 * The slot of a server, and of one of several logins to it.
 *
 * @param target an address; `https://host#account` names the account, too
 */
export function serverSlot(target: StoreTarget, account?: string): ServerSlot {
  const [address, named] = splitAccount(isConfig(target) ? target.storeKey : target);
  const login = account ?? named;
  if (login === undefined && typeof address === "string")
    return remembered(known, address, (text) => slotOf(text, ""));
  if (login !== undefined && !isAccount(login)) {
    throw invalid("account", "must be a name of 1 to 200 visible characters", login);
  }
  return slotOf(address, login === undefined ? "" : `#${login}`);
}

function slotOf(address: string | URL, suffix: string): ServerSlot {
  const url = parseHost(address);
  const server = url.origin + url.pathname.replace(/\/+$/, "");
  if (url.searchParams.has("client_id")) {
    // A login at an issuer: its client is part of what it is, and nobody else's key can be the same.
    const key = server + url.search + suffix;
    return { server: key, sharedKey: key, ownKey: key };
  }
  return {
    server: server + suffix,
    sharedKey: url.origin + suffix,
    ownKey: (server === url.origin ? `${server}/` : server) + suffix,
  };
}

function isConfig(target: StoreTarget): target is Config {
  return typeof target === "object" && !(target instanceof URL) && typeof target?.storeKey === "string";
}

function splitAccount(host: string | URL): [string | URL, string | undefined] {
  const text = host instanceof URL ? host.href : host;
  const mark = typeof text === "string" ? text.indexOf("#") : -1;
  if (mark < 0 || mark === text.length - 1) return [host, undefined];
  const account = text.slice(mark + 1);
  return [text.slice(0, mark), host instanceof URL ? decoded(account) : account];
}

/** An account that a URL's parser has encoded; one that it has not may hold a percent sign of its own. */
function decoded(account: string): string {
  try {
    return decodeURIComponent(account);
  } catch {
    return account;
  }
}

function isAccount(account: unknown): boolean {
  return typeof account === "string" && /^[^\s\p{C}]{1,200}$/u.test(account);
}
