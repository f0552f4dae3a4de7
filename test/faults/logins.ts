import { authenticate } from "../../src/authenticate.js";
import { Config } from "../../src/config.js";
import type { Target } from "../../src/flows/session.js";
import { isRecord } from "../../src/jwt.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { scriptedPerson } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import type { WireRequest } from "../support/fault-proxy.js";
import { nameOf } from "./sites.js";

interface Spare {
  readonly token: Token;
  /** After how many calls it was taken back. */
  readonly at: number;
}

/** Logins that no call has used up, by where they are from: a person is asked for a new one only where there is none. */
const spares = new Map<string, Spare[]>();
/** The provider keeps its last thousand records: a login that lies about for long is forgotten there. */
const KEPT = 30;
let calls = 0;

/** Every call leaves something at the provider. */
export function countCall(): void {
  calls++;
}

function takeSpare(key: string): Token | undefined {
  const spare = spares.get(key)?.pop();
  return spare && calls - spare.at < KEPT ? spare.token : undefined;
}

/** A login of a person by device code, over a wire without faults. */
async function logIn(target: Target): Promise<Token> {
  return authenticate(target, {
    ...scriptedPerson(),
    flow: "device",
    store: new TokenStore({ backend: memoryBackend() }),
    sleep: async () => {},
  });
}

/** Puts a login into a store, as a call is to find it. */
export async function storeLogin(
  target: Target,
  store: TokenStore,
  state: "expired" | "good",
): Promise<Token> {
  const config = Config.from(target);
  const token = takeSpare(config.storeKey) ?? (await logIn(target));
  const expiresAt = Math.floor(Date.now() / 1000) + (state === "good" ? 3000 : -10);
  const stored = new Token({ ...token, expiresAt });
  await store.put(config, stored);
  return stored;
}

/** Takes back what a call has left of a login that it found in its store. */
export function takeBack(target: Target, token: Token, requests: readonly WireRequest[]): void {
  const refreshes = requests.filter((one) => nameOf(one) === "refresh" && one.forwarded);
  const left = refreshes.length === 0 ? token : renewed(token, refreshes);
  const { storeKey } = Config.from(target);
  if (left) spares.set(storeKey, [...(spares.get(storeKey) ?? []), { token: left, at: calls }]);
}

/** What the server made of it, also where the call never learned. */
function renewed(token: Token, refreshes: readonly WireRequest[]): Token | undefined {
  const [{ answer } = {}, ...others] = refreshes;
  // A call may end before the server has answered.
  if (answer?.status !== 200 || others.length > 0) return undefined;
  const body: unknown = JSON.parse(String(answer.body));
  if (!isRecord(body)) return undefined;
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  if (typeof accessToken !== "string" || typeof refreshToken !== "string") return undefined;
  return new Token({ ...token, accessToken, refreshToken });
}
