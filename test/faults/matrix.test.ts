import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fill, filled } from "./cell.js";
import { CELLS, type Cell, titleOf } from "./cells.js";
import { type Surroundings, startSurroundings } from "./surroundings.js";

// They mostly wait: for each other's servers, and for what is slow on purpose.
vi.setConfig({ maxConcurrency: 10, testTimeout: 120_000 });

let surroundings: Surroundings;

beforeAll(async () => {
  surroundings = await startSurroundings();
});

afterAll(async () => {
  process.stdout.write(`fault matrix: ${filled.size} cells\n`);
  await surroundings.close();
});

/** What it costs is measured, and nothing else may be going on. */
const isFlood = ({ fault }: Cell) => fault.nature.kind === "endless";
/** Where it fails, the usual ports are left, which are few. */
const wantsUsualPorts = ({ request }: Cell) => request === "auth-ports";
/** What one call finds out is kept for all that come later in this process. */
const wantsNoDocument = ({ request }: Cell) => request === "discovery";
const isAlone = (cell: Cell) => isFlood(cell) || wantsUsualPorts(cell) || wantsNoDocument(cell);
/** Few enough for the usual ports. */
const waitsForPorts = (cell: Cell) => wantsUsualPorts(cell) && cell.fault.nature.kind === "slow";

const rows = (keep: (cell: Cell) => boolean) =>
  CELLS.filter(keep).map((cell) => [titleOf(cell), cell] as const);

describe("whatever goes wrong on the wire comes to what the rules say", () => {
  it.concurrent.each(rows((cell) => !isAlone(cell)))("%s", (_title, cell) => fill(cell, surroundings));

  it.each(rows((cell) => isAlone(cell) && !waitsForPorts(cell)))("%s", (_title, cell) =>
    fill(cell, surroundings),
  );

  it.concurrent.each(rows(waitsForPorts))("%s", (_title, cell) => fill(cell, surroundings));
});

describe("the matrix", () => {
  it("has no cell that was left out", () => {
    const titles = CELLS.map(titleOf);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.filter((title) => !filled.has(title))).toEqual([]);
  });
});
