import { isAuthError } from "../../errors.js";
import { unverifiedClaims } from "../../jwt.js";
import { parseHost } from "../../settings/address.js";
import type { TokenStore } from "../../store/token-store.js";
import { cleanText } from "../../text.js";
import { isRefreshable, isUsable, type Token } from "../../token.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { print } from "../io.js";
import { storedBelow, storedLogin } from "../stored-login.js";
import { describeEnd, renewable, rows } from "../summary.js";
import { openStore, TARGET_OPTIONS } from "../target.js";

/** Claims that are told of, where a token bears them. */
const TOLD = [
  "iss",
  "sub",
  "aud",
  "preferred_username",
  "name",
  "email",
  "groups",
  "roles",
  "azp",
  "client_id",
  "iat",
  "exp",
];

export const command: Command = {
  usage: "status [HOST] [options]",
  about:
    "Tells who you are, until when, with which scopes, and where that is stored: of one server (by its address, its profile, or the name that oidc-auth list shows), or of all. It shows claims, never a token, and asks no server. It ends with 1 where there is no login.",
  words: [0, 1],
  options: { ...JSON_OPTION, ...TARGET_OPTIONS },
  examples: ["oidc-auth status", "oidc-auth status https://auth.example.org --json"],
  async run(input, io) {
    const json = isOn(input, "json");
    const name = input.positionals[0];
    if (name === undefined) {
      const store = openStore(input, io);
      const hosts = await store.hosts();
      const all = await Promise.all(
        hosts.map(async (host) => ({ host, token: await readToken(store, host) })),
      );
      const known = all.flatMap(({ host, token }) => (token ? [{ host, token }] : []));
      if (known.length === 0)
        io.stderr.write(`No login is stored in ${store.path ?? store.backend.description}.\n`);
      print(
        io,
        json,
        known.map(({ host, token }) => factsOf(host, token, store)),
        known.map(({ host, token }) => textOf(host, token, store)).join("\n"),
      );
      return known.length === 0 ? 1 : 0;
    }
    const login = await storedLogin(name, input, io);
    const { store, place, account, server, resolved } = login;
    const token = await store.get(place, { account });
    if (!token) {
      print(io, json, { server, state: "none" }, "");
      const others = await storedBelow(login);
      // Most likely one of the others was meant, where it is known how to say so.
      const next = resolved && !others.includes(": add ") ? ` Log in: ${resolved.options.loginCommand}` : "";
      io.stderr.write(`No login for ${server} is stored.${next}\n${others}`);
      return 1;
    }
    print(io, json, factsOf(server, token, store), textOf(server, token, store));
    return 0;
  },
};

async function readToken(store: TokenStore, host: string): Promise<Token | undefined> {
  try {
    // A file with one bare token serves any host.
    return await store.get(host === "*" ? parseHost("any.invalid") : host);
  } catch (error) {
    // What stands in the file under a name that is no server's must not hide the others.
    if (isAuthError(error, "invalid_config")) return undefined;
    throw error;
  }
}

function factsOf(server: string, token: Token, store: TokenStore): Record<string, unknown> {
  const { expiresAt, refreshExpiresAt, scope, tokenType, refreshToken } = token;
  return {
    server,
    state: stateOf(token),
    expires: expiresAt,
    token_type: tokenType,
    renewable: refreshToken !== undefined,
    ...(refreshExpiresAt !== undefined && { refresh_expires: refreshExpiresAt }),
    scope,
    claims: claimsOf(token),
    stored_in: store.path ?? store.backend.description,
  };
}

function textOf(server: string, token: Token, store: TokenStore): string {
  const claims = claimsOf(token);
  const texts = ["preferred_username", "email", "name", "sub"]
    .map((name) => claims[name])
    .filter((one) => typeof one === "string");
  const [who, subject] = [texts[0], claims["sub"]];
  return rows([
    ["Server", server],
    [
      "Who",
      who === undefined
        ? "not stated in the token"
        : `${who}${typeof subject === "string" && subject !== who ? ` (${subject})` : ""}`,
    ],
    ["State", stateOf(token)],
    ["Valid until", describeEnd(token.expiresAt)],
    ["Renewable", renewable(token)],
    ["Scopes", token.scope || "not stated"],
    ["Stored in", store.path ?? store.backend.description],
  ]);
}

function stateOf(token: Token): string {
  if (isUsable(token, Date.now())) return "good";
  return isRefreshable(token, Date.now()) ? "to be renewed at the next use" : "ended";
}

/** Claims of the id token, else of the access token where it is a JWT: as they are written there, unverified. */
function claimsOf(token: Token): Record<string, unknown> {
  const claims = unverifiedClaims(token.idToken ?? "") ?? unverifiedClaims(token.accessToken) ?? {};
  const told = TOLD.filter((name) => claims[name] !== undefined);
  return Object.fromEntries(
    told.map((name) => [name, typeof claims[name] === "string" ? cleanText(claims[name]) : claims[name]]),
  );
}
