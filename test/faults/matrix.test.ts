import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fill, filled } from "./cell.js";
import { CELLS, type Cell, titleOf } from "./cells.js";
import { type Surroundings, startSurroundings } from "./surroundings.js";

// They mostly wait: for each other's servers, and for what is slow on purpose.
vi.setConfig({ maxConcurrency: 10 });

let surroundings: Surroundings;

beforeAll(async () => {
  surroundings = await startSurroundings();
});

afterAll(async () => {
  process.stdout.write(`fault matrix: ${filled.size} cells\n`);
  await surroundings.close();
});

const isFlood = ({ fault }: Cell) => fault.nature.kind === "endless";
/** Where it fails, the usual ports are left, which are few. */
const wantsUsualPorts = ({ request }: Cell) => request === "auth-ports";
/** What one call finds out is kept for all that come later in this process. */
const wantsNoDocument = ({ request }: Cell) => request === "discovery";
const isAlone = (cell: Cell) => isFlood(cell) || wantsUsualPorts(cell) || wantsNoDocument(cell);

const rows = (cells: readonly Cell[]) => cells.map((cell) => [titleOf(cell), cell] as const);

describe("whatever goes wrong on the wire comes to what the rules say", () => {
  const timeout = 120_000;
  it.concurrent.each(rows(CELLS.filter((cell) => !isAlone(cell))))("%s", { timeout }, (_title, cell) =>
    fill(cell, surroundings),
  );
  it.each(rows(CELLS.filter(isAlone)))("%s", { timeout }, (_title, cell) => fill(cell, surroundings));
});

describe("the matrix", () => {
  it("has no cell that was left out", () => {
    const titles = CELLS.map(titleOf);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.filter((title) => !filled.has(title))).toEqual([]);
  });
});
