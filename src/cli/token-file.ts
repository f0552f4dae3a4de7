import { rename, writeFile } from "node:fs/promises";
import type { Authenticator } from "../authenticate.js";
import { AuthError } from "../errors.js";
import type { Token } from "../token.js";

/** How long (milliseconds) before its end a token in the file is replaced. */
const AHEAD_MS = 90_000;
/** Shortest time (milliseconds) between two looks at the store. */
const SHORTEST_MS = 5000;
/** Pauses stand still while the machine sleeps: so often (milliseconds) it is looked whether a token is due. */
const LOOK_MS = 5000;

/**
 * Puts a token into a file for another program, aside and renamed: nobody reads half of one. Nothing is flushed, and no
 * folder is made: what ends with that program must not be there after it.
 */
export async function putToken(path: string, { accessToken }: Token): Promise<void> {
  await writeFile(`${path}.new`, accessToken, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/**
 * Replaces the token in a file before it ends, until told to stop. Never fails.
 *
 * @param first what stands in it
 * @param warn told why a token was not renewed; it is tried again
 */
export async function keepFresh(
  path: string,
  first: Token,
  authenticate: Authenticator,
  warn: (message: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const { now, uptime, sleep } = authenticate.session.context;
  let token = first;
  while (!stop.aborted) {
    try {
      const due = uptime() + dueIn(token, now());
      while (uptime() < due) await sleep(Math.min(LOOK_MS, due - uptime()), stop);
      token = await authenticate({ signal: stop });
      await putToken(path, token);
    } catch (error) {
      if (stop.aborted) return;
      const message = error instanceof AuthError ? error.message : "the file cannot be written";
      warn(`the token was not renewed: ${message}`);
    }
  }
}

/** In how many milliseconds a token is to be replaced; a short one when a tenth of it is left, as everywhere. */
function dueIn({ expiresAt, issuedAt }: Token, now: number): number {
  const lifetime = expiresAt * 1000 - (issuedAt === undefined ? now : issuedAt * 1000);
  return Math.max(SHORTEST_MS, expiresAt * 1000 - now - Math.min(AHEAD_MS, lifetime / 10));
}
