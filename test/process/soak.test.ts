import { describe, expect, it } from "vitest";
import { Ledger } from "../../bench/soak/ledger.js";
import { type SoakOptions, soak } from "../../bench/soak/run.js";
import { verdict } from "../../bench/soak/verdict.js";

/** Otherwise nothing was put to the test. */
const enough: NonNullable<SoakOptions["enough"]> = ({ calls, kills, ledger }) =>
  calls > 50 && kills > 5 && ledger.refreshes > 8 && Object.keys(ledger.faults).length > 2;

/** The soak of `npm run soak`, in small: fewer processes, shorter tokens, more faults, for half a minute or longer. */
it("keeps every promise under kills, contention and faults", { timeout: 180_000 }, async () => {
  const result = await soak({
    seconds: 25,
    processes: 12,
    seed: 1,
    lifetime: 5,
    faultRate: 0.25,
    faults: ["429", "503", "500", "reset", "lost answer"],
    hosts: 2,
    accounts: 4,
    killEveryMs: 1000,
    sampleEveryMs: 1000,
    enough,
  });
  expect(result.ledger.broken).toEqual([]);
  // Growth shows over minutes only.
  expect(
    verdict(result).filter(({ what, kept }) => kept === false && !/heap|memory|open/.test(what)),
  ).toEqual([]);
  expect(enough(result)).toBe(true);
});

describe("the ledger of the soak", () => {
  const open = () => {
    const ledger = new Ledger(60_000);
    ledger.granted("one", "r1", 60_000, undefined);
    return ledger;
  };
  const failure = { login: "one", message: "m", began: 55_000 };

  it("accounts for a refresh that was due", () => {
    const ledger = open();
    ledger.asked("r1", "a", 55_000, false);
    expect([ledger.refreshes, ledger.ratio, ledger.broken]).toEqual([1, 1, []]);
  });

  it("sees a refresh that was not due", () => {
    const ledger = open();
    ledger.asked("r1", "a", 30_000, false);
    expect([ledger.needless, ledger.ratio]).toEqual([1, 2]);
  });

  it("sees a refresh token that is used twice, or was never given", () => {
    const ledger = open();
    ledger.asked("r1", "a", 55_000, false);
    ledger.asked("r1", "b", 55_001, false);
    ledger.asked("r9", "b", 55_002, false);
    expect(ledger.broken).toHaveLength(2);
  });

  it("sees a call that fails without a fault, or twice for one", () => {
    const ledger = open();
    ledger.failed({ ...failure, code: "network_error" });
    expect(ledger.broken).toHaveLength(1);
    ledger.faulted("one", "500");
    ledger.failed({ ...failure, code: "request_failed" });
    expect(ledger.broken).toHaveLength(1);
    ledger.failed({ ...failure, code: "request_failed" });
    expect(ledger.broken).toHaveLength(2);
  });

  it("sees a call that fails over a fault that has to be survived", () => {
    const ledger = open();
    ledger.faulted("one", "503");
    ledger.failed({ ...failure, code: "request_failed" });
    expect(ledger.broken).toHaveLength(1);
  });

  it.each([
    ["an answer that was lost", (ledger: Ledger) => ledger.asked("r1", "a", 55_000, true)],
    [
      "a kill in the middle",
      (ledger: Ledger) => {
        ledger.asked("r1", "a", 55_000, false);
        ledger.killed("a");
      },
    ],
  ])("lets a login end after %s, until it is renewed", (_what, lose) => {
    const ledger = open();
    lose(ledger);
    ledger.granted("one", "r2", 115_000, "r1");
    ledger.asked("r1", "b", 56_000, false);
    expect(ledger.isEnded("one")).toBe(true);
    ledger.failed({ ...failure, code: "interaction_required" });
    expect(ledger.broken).toEqual([]);
    ledger.granted("one", "r3", 120_000, undefined);
    ledger.renewed("one", 60_000);
    ledger.failed({ ...failure, code: "interaction_required", began: 61_000 });
    expect(ledger.broken).toHaveLength(1);
  });
});

describe("the verdict of the soak", () => {
  const ledger = new Ledger(60_000);
  const sample = { heap: 10e6, rss: 80e6, handles: 5, files: 20, requests: 1 };
  const rowsOf = (first: Partial<typeof sample>, last: Partial<typeof sample>) => {
    const samples = [Array.from({ length: 40 }, (_, n) => ({ ...sample, ...(n < 20 ? first : last) }))];
    return verdict({ seconds: 1, calls: 1, kills: 0, relogins: 0, ledger, samples, left: [] });
  };
  const judge = (last: Partial<typeof sample>, first: Partial<typeof sample> = {}) =>
    rowsOf(first, last)
      .filter(({ kept }) => kept === false)
      .map(({ what }) => what);

  it("sees what grows, and nothing where nothing does", () => {
    expect(judge({})).toEqual([]);
    expect(judge({ heap: 13e6 })).toEqual(["heap, MB"]);
    expect(judge({ rss: 120e6 })).toEqual(["resident memory, MB"]);
    expect(judge({ handles: 8 })).toEqual(["open handles"]);
    expect(judge({ files: 30 })).toEqual(["open descriptors"]);
  });

  it("counts nothing before a process has renewed a token, and says where none has", () => {
    expect(judge({ heap: 13e6 }, { requests: 0 })).toEqual([]);
    expect(rowsOf({ requests: 0 }, { requests: 0 }).at(-1)).toEqual({
      what: "growth",
      value: "too short a run to tell",
    });
  });
});
