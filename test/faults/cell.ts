import { setTimeout as after } from "node:timers/promises";
import { expect } from "vitest";
import { openNetwork } from "../../src/network.js";
import type { ScriptRun, WireFault } from "../support/fault-proxy.js";
import { makeCall } from "./calls.js";
import { type Cell, titleOf } from "./cells.js";
import { checkOutcome, checkSecrets } from "./checks.js";
import type { Detour } from "./faults.js";
import { takeBack } from "./logins.js";
import { type Expected, expected } from "./rules.js";
import { nameOf, type RequestName } from "./sites.js";
import type { Surroundings } from "./surroundings.js";

/** Seconds that a request may take, where nothing is slow on purpose. */
const PATIENT = 60;
/** Where something is: what comes before and after it in the same call must be done within that. */
const QUICK = 6;
/** The same where the slow one is the first, so that nothing else has to be quick. */
const FIRST = 2;
const FIRST_REQUESTS: readonly RequestName[] = ["discovery", "device", "refresh", "userinfo"];
/** Milliseconds that a call may take, over what it waits for. */
const BOUND_MS = 40_000;
/** Milliseconds within which what was opened is closed. */
const CLOSED_MS = 20_000;

/** Of a gigabyte, by the client and what lies between: the buffers of two sockets. */
const MOST_TAKEN_BYTES = 16 * 1024 ** 2;
/** By client, proxy and server together, before anything is collected. */
const MOST_MEMORY_BYTES = 128 * 1024 ** 2;

/** The cells that were filled and found right, by title. */
export const filled = new Set<string>();

/**
 * Makes the call, does to its requests what the fault says, and checks all that must come of it.
 *
 * @param rule what must come of it
 */
export async function fill(cell: Cell, surroundings: Surroundings, rule?: Expected): Promise<void> {
  const { request, by, fault, times } = cell;
  const site = surroundings.sites[cell.site];
  const script = titleOf(cell);
  const wire = typeof fault.wire === "function" ? fault.wire(surroundings.elsewhere.origin) : fault.wire;
  let met = 0;
  const isFaulty = () => ++met === 1 || times === "always";
  const run = site.proxy.run(script, (asked) =>
    nameOf(asked) === request && !("detour" in wire) && isFaulty() ? wire : undefined,
  );
  const fetch = fetchWith(script, (asked) =>
    "detour" in wire && nameOf(asked) === request && isFaulty()
      ? detourOf(wire.detour, surroundings)
      : undefined,
  );
  const requestTimeout = secondsFor(cell);
  const memory = memoryInUse();
  const called = await makeCall({
    ...{ site, request, by, fetch, requestTimeout },
    folder: surroundings.folder,
  });
  expect(met, "the fault was met").toBeGreaterThan(0);
  checkOutcome(called, rule ?? expected(cell, isProcessed(wire)), {
    origin: site.proxy.origin,
    boundMs: BOUND_MS + (fault.nature.kind === "slow" ? requestTimeout * 1000 : 0),
  });
  expect(surroundings.elsewhere.asked, "what another origin was asked").toEqual([]);
  expect(surroundings.certificates.asked, "what nobody is trusted with was asked").toEqual([]);
  checkSecrets(called, run.requests);
  await checkClosed(run);
  if (called.login) takeBack(site.target, called.login, run.requests);
  if ("flood" in wire) {
    expect(run.flooded, "bytes that were taken").toBeLessThan(MOST_TAKEN_BYTES);
    expect(memoryInUse() - memory, "bytes that it cost").toBeLessThan(MOST_MEMORY_BYTES);
  }
  filled.add(script);
}

function secondsFor({ by, request, fault }: Cell): number {
  if (fault.nature.kind !== "slow") return PATIENT;
  return by === request && FIRST_REQUESTS.includes(request) ? FIRST : QUICK;
}

/** What was opened is closed by the client, where the server does not. */
async function checkClosed(run: ScriptRun): Promise<void> {
  const stop = new AbortController();
  const late = after(CLOSED_MS, "left open" as const, { signal: stop.signal }).catch(() => "closed" as const);
  const outcome = await Promise.race([run.faultyClosed().then(() => "closed" as const), late]);
  stop.abort();
  expect(outcome, "the connection").toBe("closed");
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Whether the server does what it is asked, whatever becomes of its answer. */
function isProcessed(wire: WireFault | { readonly detour: Detour }): boolean {
  if ("reset" in wire) return wire.reset !== "before";
  if ("stall" in wire) return wire.stall !== "before";
  return "drip" in wire || "change" in wire;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A `fetch` that names its script to the proxy, and goes another way where that says so. */
function fetchWith(
  script: string,
  detour: (asked: Asked) => { origin: string; ca: string | undefined } | undefined,
): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const headers = new Headers(init.headers);
    headers.set("x-script", script);
    const body = String(init.body ?? "");
    const other = detour({
      method: init.method ?? "GET",
      path: url.pathname + url.search,
      headers: Object.fromEntries(headers),
      body,
    });
    if (!other) return globalThis.fetch(url, { ...init, headers });
    const fetch = other.ca === undefined ? globalThis.fetch : await trusting(other.ca);
    return fetch(new URL(url.pathname + url.search, other.origin), { ...init, headers });
  };
}

/** A port that nobody listens at, as hardly anybody may. */
const CLOSED_PORT = 2;

function detourOf(
  to: Detour,
  { certificates, folder }: Surroundings,
): { origin: string; ca: string | undefined } {
  if (to === "closed-port") return { origin: `http://127.0.0.1:${CLOSED_PORT}`, ca: undefined };
  if (to === "no-such-name") return { origin: "http://no-such-name.invalid", ca: undefined };
  const ca = to === "unknownAuthority" ? undefined : `${folder}/ca.pem`;
  return { origin: certificates[to], ca };
}

const fetches = new Map<string, Promise<typeof globalThis.fetch>>();

function trusting(caFile: string): Promise<typeof globalThis.fetch> {
  const known = fetches.get(caFile) ?? openNetwork({ caFile, proxy: false }, {});
  fetches.set(caFile, known);
  return known;
}
