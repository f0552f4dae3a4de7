import type { Sample } from "./fleet.js";
import { SURVIVED } from "./ledger.js";
import type { SoakResult } from "./run.js";

/** Most refreshes, as a multiple of the least possible. */
const MOST_REFRESHES = 1.05;
/** Samples a process needs so that growth can be told: below, the first ones are warm-up. */
const LEAST_SAMPLES = 16;
/** How far (parts, and bytes) memory may be above the start without being growth. */
const HEAP = { factor: 1.1, bytes: 1e6 };
const RSS = { factor: 1.2, bytes: 10e6 };
/** How many more handles or descriptors may be open: a connection that is just kept. */
const MORE_HANDLES = 1;

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** Absent where nothing is promised. */
  readonly kept?: boolean;
}

/** What was promised, and what came of it. */
export function verdict(result: SoakResult): Row[] {
  const { ledger, samples, left } = result;
  const faults = Object.entries(ledger.faults);
  const sum = (pairs: [string, number][]) => pairs.reduce((total, [, count]) => total + count, 0);
  const list = (pairs: [string, number][]) => pairs.map(([name, count]) => `${count} × ${name}`).join(", ");
  const survived = faults.filter(([name]) => (SURVIVED as readonly string[]).includes(name));
  const excused = Object.entries(ledger.excused);
  const asides = left.filter((name) => /corrupt/.test(name));
  return [
    { what: "seconds", value: result.seconds.toFixed(0) },
    { what: "authenticate() calls that gave a token", value: String(result.calls) },
    { what: "processes killed", value: String(result.kills) },
    { what: "faults", value: `${sum(faults)} (${list(faults) || "none"})` },
    { what: "of them survived by the call that met them", value: String(sum(survived)) },
    { what: "calls whose fault cannot be survived", value: `${sum(excused)} (${list(excused) || "none"})` },
    { what: "logins that a person had to renew", value: String(result.relogins) },
    {
      what: "broken promises",
      value: String(ledger.broken.length),
      kept: ledger.broken.length === 0,
    },
    {
      what: "refreshes, as a multiple of the least possible",
      value: `${ledger.ratio.toFixed(3)} (${ledger.refreshes}, ${ledger.needless} needless; at most ${MOST_REFRESHES})`,
      kept: ledger.ratio <= MOST_REFRESHES,
    },
    { what: "damaged stores", value: String(asides.length), kept: asides.length === 0 },
    ...growth(samples),
  ];
}

/**
 * The last quarter against the first one, after warm-up, of all processes that lived through it. Until its first
 * renewal a process has not loaded what it needs for one, so nothing counts before.
 */
function growth(all: SoakResult["samples"]): Row[] {
  const long = all
    .map((samples) => samples.filter(({ requests }) => requests > 0))
    .filter((samples) => samples.length >= LEAST_SAMPLES);
  if (long.length === 0) return [{ what: "growth", value: "too short a run to tell" }];
  const row = (
    what: string,
    of: (one: Sample) => number,
    most: (first: number) => number,
    unit: number,
  ): Row => {
    const worst = long
      .map((samples) => quarters(samples.map(of)))
      .sort((a, b) => b.last - most(b.first) - (a.last - most(a.first)))[0] ?? { first: 0, last: 0 };
    const show = (value: number) => (value / unit).toFixed(unit === 1 ? 0 : 1);
    return {
      what,
      value: `${show(worst.first)} → ${show(worst.last)} (at most ${show(most(worst.first))}) in the worst of ${long.length}`,
      kept: worst.last <= most(worst.first),
    };
  };
  const bytes =
    ({ factor, bytes }: typeof HEAP) =>
    (first: number) =>
      first * factor + bytes;
  const handles = (first: number) => first + MORE_HANDLES;
  return [
    row("heap, MB", ({ heap }) => heap, bytes(HEAP), 1e6),
    row("resident memory, MB", ({ rss }) => rss, bytes(RSS), 1e6),
    row("open handles", (one) => one.handles, handles, 1),
    row("open descriptors", ({ files }) => files, handles, 1),
  ];
}

function quarters(values: readonly number[]): { first: number; last: number } {
  const warm = values.slice(Math.ceil(values.length / 5));
  const quarter = Math.floor(warm.length / 4);
  return { first: median(warm.slice(0, quarter)), last: median(warm.slice(-quarter)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
