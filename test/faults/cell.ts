import { expect } from "vitest";
import { isAuthError } from "../../src/errors.js";
import { openNetwork } from "../../src/network.js";
import type { WronglyCertified } from "../support/certificates.js";
import type { ScriptRun, WireFault } from "../support/fault-proxy.js";
import { type Called, makeCall } from "./calls.js";
import type { Detour, Fault } from "./faults.js";
import { type Expected, expected, type Meeting, type Times } from "./rules.js";
import { saidBy, secretsIn, secretsOf } from "./secrets.js";
import { nameOf, type RequestName, type Site } from "./sites.js";

/** What all cells share. */
export interface Surroundings {
  readonly folder: string;
  /** Another origin, which nobody is to ask anything. */
  readonly elsewhere: { readonly origin: string; readonly asked: readonly string[] };
  readonly certificates: WronglyCertified;
  /** Where nothing listens. */
  readonly closedPort: number;
}

export interface Cell {
  readonly site: Site;
  /** Whose request it is done to. */
  readonly request: RequestName;
  /** Which call meets it, where it is not the one of that request. */
  readonly by?: RequestName | undefined;
  readonly fault: Fault;
  readonly times: Times;
}

/** Seconds that a request may take, where nothing is slow on purpose, and where something is. */
const PATIENT = 20;
const QUICK = 1.5;
/** Milliseconds that a call may take, over what it waits for. */
const BOUND_MS = 10_000;

/** Of a gigabyte, by the client and what lies between: the buffers of two sockets. */
const MOST_TAKEN_BYTES = 16 * 1024 ** 2;
/** By client, proxy and server together, before anything is collected. */
const MOST_MEMORY_BYTES = 128 * 1024 ** 2;

let cells = 0;

/** How many cells were filled, for the report. */
export function cellCount(): number {
  return cells;
}

/** Makes the call, does to its requests what the fault says, and checks all that must come of it. */
export async function fill(cell: Cell, surroundings: Surroundings): Promise<void> {
  const { site, request, fault, times } = cell;
  const by = cell.by ?? request;
  const script = `cell${++cells}`;
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
  const slow = fault.nature.kind === "slow";
  const call = {
    ...{ site, request, by, fetch, requests: run.requests },
    // A folder of its own, as documents are kept beside the store.
    path: `${surroundings.folder}/${script}/store.json`,
    requestTimeout: slow ? QUICK : PATIENT,
  };
  const asked = surroundings.elsewhere.asked.length + surroundings.certificates.asked.length;
  const memory = memoryInUse();
  const called = await makeCall(call);
  expect(met, "the fault was met").toBeGreaterThan(0);
  const meeting: Meeting = {
    site: site.kind,
    ...{ request, by },
    times,
    fault: { ...fault, processed: isProcessed(wire) },
  };
  checkOutcome(called, expected(meeting), cell, slow ? QUICK : 0);
  const after = surroundings.elsewhere.asked.length + surroundings.certificates.asked.length;
  expect(after, "what went elsewhere").toBe(asked);
  checkSecrets(called, run);
  // What was opened is closed by the client, where the server does not.
  await run.faultyClosed();
  if ("flood" in wire) {
    expect(run.flooded, "bytes that were taken").toBeLessThan(MOST_TAKEN_BYTES);
    expect(memoryInUse() - memory, "bytes that it cost").toBeLessThan(MOST_MEMORY_BYTES);
  }
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function checkOutcome(
  called: Called,
  rule: Expected,
  { site, fault, times }: Cell,
  slowSeconds: number,
): void {
  const { error, tookMs, events, before, after } = called;
  if (rule.code === undefined) {
    expect(error, saidBy(error)).toBeUndefined();
  } else {
    if (!isAuthError(error)) expect.fail(`no AuthError: ${saidBy(error ?? called.value)}`);
    const { code, status, message, hint, unprocessed, answerLost } = error;
    expect({ code, unprocessed, answerLost }, message).toEqual({
      code: rule.code,
      unprocessed: rule.unprocessed ?? false,
      answerLost: rule.answerLost ?? false,
    });
    if (rule.status !== undefined) expect(status).toBe(rule.status);
    // Sentences, or a list of what may be done.
    expect(hint).toMatch(/^(do one of these:\n.{10,}|[A-Z].{10,}\.)$/s);
    // What happened, and where.
    if (code !== "expired_token") expect(message).toContain(site.proxy.origin);
    if (code === "invalid_grant" && fault.nature.kind !== "status") expect(times).toBe("once");
  }
  const again = events.filter((event) => event.type === "retrying" && event.what !== "polling");
  expect(again.length, "how often it was sent again").toBe(rule.retries);
  expect(tookMs).toBeLessThan(BOUND_MS + slowSeconds * 1000);
  checkStore(before, after, rule.store);
}

function checkStore(before: string, after: string, rule: Expected["store"]): void {
  if (rule === "same") {
    expect(after).toBe(before);
    return;
  }
  const mark = /,\n {4}"refresh_lost_at": [\d.]+/;
  expect(mark.test(after), "whether a lost answer is noted").toBe(rule === "lost");
  if (rule === "lost") {
    expect(after.replace(mark, "")).toBe(before);
    return;
  }
  const entries = Object.values(JSON.parse(after) as Record<string, { token: { access_token: string } }>);
  expect(entries).toHaveLength(rule === "gone" ? 0 : 1);
  if (rule === "new") expect(before).not.toContain(String(entries[0]?.token.access_token));
}

function checkSecrets({ error, told }: Called, run: ScriptRun): void {
  const secrets = secretsOf(run.requests);
  expect(secretsIn(told, secrets), "secrets in what was told").toEqual([]);
  if (error !== undefined) expect(secretsIn(saidBy(error), secrets), "secrets in the error").toEqual([]);
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

function detourOf(
  to: Detour,
  { closedPort, certificates, folder }: Surroundings,
): { origin: string; ca: string | undefined } {
  if (to === "closed-port") return { origin: `http://127.0.0.1:${closedPort}`, ca: undefined };
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
