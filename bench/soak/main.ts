import { parseArgs } from "node:util";
import { soak } from "./run.js";
import { verdict } from "./verdict.js";

/**
 * `npm run soak [-- --minutes 10 --processes 50 --seed N]`: what the library promises, under load, kills and faults, for
 * a while. Ends with 1 where a promise was broken. Ctrl-C ends it early, with what there is so far.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    processes: { type: "string", default: "50" },
    seed: { type: "string" },
    lifetime: { type: "string", default: "60" },
  },
});
const number = (name: string, text: string) => {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} takes a number above 0 (it is ${text}).`);
};
const seed = values.seed === undefined ? Date.now() % 1e6 : number("seed", values.seed);
const minutes = number("minutes", values.minutes);
const processes = number("processes", values.processes);
const lifetime = number("lifetime", values.lifetime);
const say = (text: string) => process.stdout.write(`${text}\n`);
say(`${processes} processes, tokens of ${lifetime} s, for ${minutes} min. Seed: ${seed}`);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const result = await soak({
  ...{ seed, processes, lifetime },
  seconds: minutes * 60,
  faultRate: 0.05,
  // A stall takes 30 s: the client's own time-out.
  faults: ["429", "503", "500", "reset", "stall", "lost answer"],
  hosts: 5,
  accounts: 5,
  killEveryMs: 3000,
  sampleEveryMs: 2000,
  signal: stop.signal,
});
const rows = verdict(result);
const width = Math.max(...rows.map(({ what }) => what.length));
say("");
for (const { what, value, kept } of rows)
  say(`${kept === undefined ? "      " : kept ? "kept  " : "BROKEN"} ${what.padEnd(width)}  ${value}`);
for (const broken of result.ledger.broken.slice(0, 20)) say(`  ${broken}`);
process.exitCode = rows.some(({ kept }) => kept === false) ? 1 : 0;
