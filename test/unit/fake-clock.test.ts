import { expect, it } from "vitest";
import { fakeClock } from "../../src/testing/index.js";

const START = Date.UTC(2030, 0, 1);

it("stands still, and begins when it is told to", async () => {
  expect(fakeClock({ start: new Date(START) }).now()).toBe(START);
  const before = Date.now();
  const { now } = fakeClock();
  expect(now()).toBeGreaterThanOrEqual(before);
  const first = now();
  while (Date.now() <= first) await new Promise(setImmediate);
  expect(now()).toBe(first);
});

it("jumps over pauses, to the earliest end where there are several", async () => {
  const clock = fakeClock({ start: START });
  const woken: [string, number][] = [];
  const pause = (name: string, ms: number) =>
    clock.sleep(ms).then(() => woken.push([name, clock.now() - START]));
  await Promise.all([pause("late", 60_000), pause("early", 1000), pause("middle", 5000)]);
  expect(woken).toEqual([
    ["early", 1000],
    ["middle", 5000],
    ["late", 60_000],
  ]);
  expect(clock.pauses).toEqual([60_000, 1000, 5000]);
});

it("moved by hand, ends the pauses that are over by then, and no others", async () => {
  const clock = fakeClock({ start: START, manual: true });
  const woken: number[] = [];
  for (const seconds of [5, 10, 15]) void clock.sleep(seconds * 1000).then(() => woken.push(seconds));
  await new Promise(setImmediate);
  expect(woken).toEqual([]);
  clock.advanceSeconds(10);
  await new Promise(setImmediate);
  expect(woken).toEqual([5, 10]);
  expect(clock.now() - START).toBe(10_000);
  clock.advanceSeconds(5);
  await new Promise(setImmediate);
  expect(woken).toEqual([5, 10, 15]);
});

it("tells when somebody pauses, now or later", async () => {
  const clock = fakeClock({ manual: true });
  const later = clock.sleeping();
  const pause = clock.sleep(300);
  expect([await later, await clock.sleeping()]).toEqual([300, 300]);
  clock.advanceSeconds(0.3);
  await pause;
});

it("lets a test act in a pause, which lasts until it is done", async () => {
  const order: string[] = [];
  const clock = fakeClock({
    onPause: async ({ number, ms }) => {
      order.push(`pause ${number} of ${ms} begins`);
      await new Promise(setImmediate);
      order.push(`pause ${number} ends`);
    },
  });
  await clock.sleep(7);
  order.push("awake");
  await clock.sleep(8);
  expect(order).toEqual([
    "pause 1 of 7 begins",
    "pause 1 ends",
    "awake",
    "pause 2 of 8 begins",
    "pause 2 ends",
  ]);
  const failing = fakeClock({ onPause: () => Promise.reject(new Error("the test failed")) });
  await expect(failing.sleep(1)).rejects.toThrow("the test failed");
});

it("ends a pause with its signal, and forgets it", async () => {
  const clock = fakeClock({ start: START, manual: true });
  const abort = new AbortController();
  const pause = clock.sleep(1000, abort.signal);
  abort.abort();
  await expect(pause).rejects.toMatchObject({ code: "login_cancelled" });
  await expect(clock.sleep(1000, abort.signal)).rejects.toMatchObject({ code: "login_cancelled" });
  expect(clock.pauses).toEqual([1000]);
  const next = clock.sleeping();
  void clock.sleep(2000);
  expect(await next).toBe(2000);
});
