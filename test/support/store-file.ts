import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fastToken } from "../../src/cli/fast-token.js";
import { fileBackend } from "../../src/store/file-backend.js";
import type { LockTimes } from "../../src/store/file-lock.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { tempFolder } from "./temp-folder.js";

/** What the tests of the table "What a file may be, and what happens" of docs/stores.md share. */

export const HOST = "https://auth.example.org";

/** An entry of a store file. */
export const entry = (members: object = {}, around: object = {}) => ({
  token: { access_token: "old", expires: 4e9, refresh_token: "r", ...members },
  ...around,
});

export const token = (accessToken: string) =>
  new Token({ accessToken, refreshToken: "r", expiresAt: 4_000_000_000 });

/** Makes a store file, in a folder of its own. @returns its path */
export function storeFile(
  content: string | Buffer | object = { [HOST]: entry() },
  folder = tempFolder(),
): string {
  const path = join(folder, "store.json");
  const bytes = typeof content === "string" || content instanceof Buffer ? content : JSON.stringify(content);
  writeFileSync(path, bytes, { mode: 0o600 });
  return path;
}

/** Opens a store that soon takes over a lock that nobody touches, and collects its warnings. */
export function open(
  path: string,
  { staleMs = 200, waitMs = 60_000, now }: Partial<LockTimes> & { now?: () => number } = {},
): { store: TokenStore; warnings: string[] } {
  const warnings: string[] = [];
  const lockTimes = { staleMs, waitMs };
  const backend = fileBackend(path, { onWarning: (message) => warnings.push(message), lockTimes });
  return { store: new TokenStore({ backend, now }), warnings };
}

/** What stands in a file. */
export const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));

/** The access token that stands in a file. */
export const stored = (path: string) => read(path)[HOST].token.access_token;

/** What the program's fast path prints; undefined where it leaves it to the rest of the program. */
export const fast = (path: string, host = HOST) =>
  fastToken(["token", host, "--store", path], { HOME: dirname(path) })?.trim();
