import { onTestFinished } from "vitest";
import type { AuthenticateOptions } from "../../src/options.js";
import {
  type AuthServer,
  type AuthServerOptions,
  fakeClock,
  memoryStore,
  startAuthServer,
} from "../../src/testing/index.js";

/** What a tool's author has in a test: a server, both ways to name it, and the tool's options without a person. */
export async function toolWorld(serverOptions: AuthServerOptions = {}) {
  const clock = fakeClock();
  const server = await startAuthServer({ now: clock.now, ...serverOptions });
  onTestFinished(() => server.close());
  const { host, issuer, clientId } = server;
  const alone = { store: memoryStore(clock), ...clock, env: {} } satisfies AuthenticateOptions;
  return { server, host, target: { issuer, clientId }, clock, alone };
}

/** Whom the protected API takes somebody for. */
export const me = async (server: AuthServer, headers: Record<string, string>) =>
  (await fetch(server.meUrl, { headers })).json() as Promise<{ username?: string }>;
