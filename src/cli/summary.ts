import type { TokenStore } from "../store/token-store.js";
import { cleanText } from "../text.js";
import { FAR_FUTURE, type Token } from "../token.js";
import { MAX_LINE } from "./io.js";

/** A token for people: everything but the token. */
export function summary(server: string, outcome: string, token: Token, store: TokenStore): string {
  return rows([
    ["Server", server],
    ["Token", outcome],
    ["Valid until", describeEnd(token.expiresAt)],
    ["Renewable", renewable(token)],
    ["Scopes", token.scope || "not stated"],
    ["Stored in", store.path ?? store.backend.description],
  ]);
}

/** Names and values, one below the other, each on one line whatever it holds. */
export function rows(lines: readonly (readonly [string, string])[]): string {
  return lines
    .map(([name, value]) => `${`${cleanText(name, 60)}:`.padEnd(13)}${cleanText(value, MAX_LINE)}\n`)
    .join("");
}

export function renewable(token: Token): string {
  if (!token.refreshToken) return "no";
  return token.refreshExpiresAt === undefined ? "yes" : `until ${describeEnd(token.refreshExpiresAt)}`;
}

/** A moment (Unix seconds) in local time, and how far it is. */
export function describeEnd(unixSeconds: number): string {
  if (unixSeconds >= FAR_FUTURE) return "it is revoked";
  // An end in a store that cannot be read.
  if (unixSeconds === 0) return "not stated";
  const local = new Date(unixSeconds * 1000);
  const pad = (value: number) => String(value).padStart(2, "0");
  const date = `${local.getFullYear()}-${pad(local.getMonth() + 1)}-${pad(local.getDate())}`;
  const left = unixSeconds - Date.now() / 1000;
  const distance = left < 0 ? `${span(-left)} ago` : `in ${span(left)}`;
  return `${date} ${pad(local.getHours())}:${pad(local.getMinutes())} (${distance})`;
}

/** A time span in the unit that says most. */
function span(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
