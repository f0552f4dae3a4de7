import { authenticate } from "../authenticate.js";
import type { AuthEvent } from "../context.js";
import type { Target } from "../flows/session.js";
import { tokenJson } from "../store/entry.js";
import type { TokenStore } from "../store/token-store.js";
import type { Token } from "../token.js";

import type { Command, LoginArguments } from "./arguments.js";
import type { CliIo } from "./run.js";

/** `oidc-auth HOST`: a valid token, by whatever is needed for it. */
export async function login(
  { host, login, stores }: Extract<Command, { name: "login" }>,
  io: CliIo,
  store: TokenStore,
): Promise<void> {
  const { browser, allowInsecureHost, clientId, resource, api, audience, ...options } = login;
  let outcome = "reused";
  const token = await authenticate(targetOf(host, login), {
    ...options,
    store,
    env: io.env,
    signal: io.signal,
    openBrowser: browser,
    allowInsecureHost: allowInsecureHost || undefined,
    onEvent: (event) => {
      outcome = outcomeOf(event) ?? outcome;
      const warning = warningOf(event);
      if (warning) io.stderr.write(`oidc-auth: warning: ${warning}\n`);
    },
  });
  io.stdout.write(
    stores.json ? `${JSON.stringify(tokenJson(token), null, 2)}\n` : summary(host, outcome, token, store),
  );
}

function targetOf(host: string, { clientId, resource, api, audience }: LoginArguments): Target {
  if (api) return { resource: host, clientId, audience };
  if (clientId === undefined && resource === undefined && audience === undefined) return host;
  return { issuer: host, clientId, resource, audience };
}

function warningOf(event: AuthEvent): string | undefined {
  if (event.type === "warning") return event.message;
  return event.type === "scope_reduced" ? `the server did not grant ${event.missing.join(", ")}` : undefined;
}

function outcomeOf(event: AuthEvent): string | undefined {
  if (event.type === "reused" || event.type === "refreshed") return event.type;
  return event.type === "logged_in" ? "logged in" : undefined;
}

function summary(host: string, outcome: string, token: Token, store: TokenStore): string {
  const rows: [string, string][] = [
    ["Server", host],
    ["Token", outcome],
    ["Valid until", describeEnd(token.expiresAt)],
    ["Renewable", renewable(token)],
    ["Scopes", token.scope || "not stated"],
    ["Stored in", store.path ?? store.backend.description],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`).join("");
}

function renewable(token: Token): string {
  if (!token.refreshToken) return "no";
  return token.refreshExpiresAt === undefined ? "yes" : `until ${describeEnd(token.refreshExpiresAt)}`;
}

function describeEnd(unixSeconds: number): string {
  const local = new Date(unixSeconds * 1000);
  const pad = (value: number) => String(value).padStart(2, "0");
  const date = `${local.getFullYear()}-${pad(local.getMonth() + 1)}-${pad(local.getDate())}`;
  return `${date} ${pad(local.getHours())}:${pad(local.getMinutes())} (in ${span(unixSeconds - Date.now() / 1000)})`;
}

/** A time span in the unit that says most. */
function span(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
