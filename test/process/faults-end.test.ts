import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startAuthServer } from "../../src/testing/index.js";
import { FAULTS } from "../faults/faults.js";
import { startFaultProxy } from "../support/fault-proxy.js";
import { runNode } from "../support/processes.js";

const WORKER = join(import.meta.dirname, "workers/refresh-through-faults.mjs");
/** Shorter (milliseconds) than anything that would keep a process for good: a connection that nobody closes, a timer. */
const SOON_MS = 10_000;

it("a process that met every fault on the wire ends by itself", { timeout: 120_000 }, async () => {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const proxy = await startFaultProxy();
  onTestFinished(() => proxy.close());
  proxy.forwardTo(server.host);
  const wires = FAULTS.flatMap(({ wire }) => {
    const fault = typeof wire === "function" ? wire("http://127.0.0.1:9") : wire;
    return "detour" in fault ? [] : [fault];
  });
  for (const [number, wire] of wires.entries()) proxy.run(`fault${number}`, () => wire);
  const child = runNode(WORKER, [proxy.origin, String(wires.length)]);
  await child.line((line) => line === "done");
  const done = performance.now();
  expect(await child.ended()).toEqual({ code: 0, signal: null });
  expect(performance.now() - done).toBeLessThan(SOON_MS);
  // Each was told as one of our own errors.
  const outcomes = child.lines.slice(0, -1).map((line) => line.split(" ")[1]);
  expect(outcomes).toHaveLength(wires.length);
  for (const outcome of outcomes) expect(outcome).toMatch(/^[a-z_]+$/);
  expect(child.errors).toEqual([]);
});
