import { parseHost } from "../settings/address.js";
import { shellWord } from "../shell-word.js";

/** What stands in the name of a login, and the option that says the same. */
const OPTIONS: Readonly<Record<string, string>> = {
  client_id: "client-id",
  resource: "resource",
  audience: "audience",
  scope: "scopes",
  dpop: "dpop",
  api: "api",
};
const SWITCHES = ["dpop", "api"];

/** A login in the words of a command line. */
export interface Said {
  readonly address: string;
  readonly options: Readonly<Record<string, string | true>>;
}

/** Whether it is the name of a login as `oidc-auth list` shows it, and more than an address. */
export function isEntryName(name: string): boolean {
  return name.includes("#") || /[?&]client_id=/.test(name);
}

/** What the name of a login says, in options; `undefined` where it was made with what no option says. */
export function saidBy(name: string): Said | undefined {
  const [place = "", ...account] = name.split("#");
  const url = parseHost(place);
  const options: Record<string, string | true> = {};
  for (const [member, value] of url.searchParams) {
    const option = Object.hasOwn(OPTIONS, member) ? OPTIONS[member] : undefined;
    if (option === undefined) return undefined;
    if (SWITCHES.includes(option)) options[option] = true;
    else if (value !== "") options[option] = value;
  }
  if (account.length > 0) options["account"] = account.join("#");
  return { address: url.origin + url.pathname.replace(/\/+$/, ""), options };
}

/** The same as it is typed. */
export function wordsOf({ options }: Said): string {
  const words = Object.entries(options).flatMap(([option, value]) => [
    `--${option}`,
    ...(value === true ? [] : [shellWord(value)]),
  ]);
  return words.join(" ");
}
