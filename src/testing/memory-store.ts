import { entryFromToken } from "../store/entry.js";
import { memoryBackend } from "../store/memory-backend.js";
import { serverSlot } from "../store/server-slot.js";
import { TokenStore } from "../store/token-store.js";
import { Token } from "../token.js";

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The logins that it holds at first, by the address of the server: `{ "https://auth.example.org": testToken() }`. */
  tokens?: Readonly<Record<string, Token>> | undefined;
  /** Unix milliseconds. Default `Date.now`; give it the clock that your program has: `memoryStore({ ...clock })`. */
  now?: (() => number) | undefined;
}

/** A store of this process's memory: each is a new one, and nothing is left of it. */
export function memoryStore({ tokens = {}, now = Date.now }: MemoryStoreOptions = {}): TokenStore {
  const backend = memoryBackend();
  for (const [address, token] of Object.entries(tokens)) {
    const { server, ownKey } = serverSlot(address);
    // In memory it is there at once.
    void backend.set(ownKey, entryFromToken(token, server, now()));
  }
  return new TokenStore({ backend, now });
}

/** Options of {@link testToken}. */
export interface TestTokenOptions {
  /** Default `test-access-token`. */
  accessToken?: string | undefined;
  /** Seconds until it ends; below zero it has ended. Default 3600. */
  expiresIn?: number | undefined;
  /** Default: none. A token that has ended and has none is of no more use, and is not found in a store. */
  refreshToken?: string | undefined;
  /** Granted scopes, separated by blanks. Default: none. */
  scope?: string | undefined;
  /** Unix milliseconds. Default `Date.now`. */
  now?: (() => number) | undefined;
}

/** A token that no server knows, for what only reads or stores one. */
export function testToken(options: TestTokenOptions = {}): Token {
  const { accessToken = "test-access-token", expiresIn = 3600, now = Date.now, ...rest } = options;
  const seconds = Math.floor(now() / 1000);
  const issuedAt = seconds + Math.min(0, expiresIn);
  return new Token({ ...rest, accessToken, issuedAt, expiresAt: seconds + expiresIn });
}
