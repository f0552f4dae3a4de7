import { invalid, parseHost } from "../config.js";

/** Where a server's entry may be in a store, and what marks it as that server's. */
export interface ServerSlot {
  /** The server's full address: whose token it is. */
  readonly server: string;
  /** Key by origin: the Python client's, and the one we use as long as no other server below that origin has it. */
  readonly sharedKey: string;
  /** Key by full address, for a server whose origin's entry belongs to another one. */
  readonly ownKey: string;
}

/**
 * The slot of a server, and of one of several logins to it.
 *
 * @param host an address; `https://host#account` names the account, too
 */
export function serverSlot(host: string | URL, account?: string): ServerSlot {
  const [address, named] = splitAccount(host);
  const login = account ?? named;
  if (login !== undefined && !isAccount(login)) {
    throw invalid("account", "must be a name of 1 to 200 visible characters", login);
  }
  const url = parseHost(address);
  const server = url.origin + url.pathname.replace(/\/+$/, "");
  const suffix = login === undefined ? "" : `#${login}`;
  return {
    server: server + suffix,
    sharedKey: url.origin + suffix,
    ownKey: (server === url.origin ? `${server}/` : server) + suffix,
  };
}

function splitAccount(host: string | URL): [string | URL, string | undefined] {
  const text = host instanceof URL ? host.href : host;
  const mark = typeof text === "string" ? text.indexOf("#") : -1;
  if (mark < 0 || mark === text.length - 1) return [host, undefined];
  const account = text.slice(mark + 1);
  return [text.slice(0, mark), host instanceof URL ? decodeURIComponent(account) : account];
}

function isAccount(account: unknown): boolean {
  return typeof account === "string" && /^[^\s\p{C}]{1,200}$/u.test(account);
}
