import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuthError } from "../../src/errors.js";
import type { WireRequest } from "../support/fault-proxy.js";
import type { Called } from "./calls.js";
import { fill } from "./cell.js";
import { CELLS, type Cell, titleOf } from "./cells.js";
import { checkOutcome, checkSecrets } from "./checks.js";
import type { Expected } from "./rules.js";
import { type Surroundings, startSurroundings } from "./surroundings.js";

/** That the matrix can fail: each of its checks, by an outcome that is not the one of its rule. */

let surroundings: Surroundings;

beforeAll(async () => {
  surroundings = await startSurroundings();
});

afterAll(() => surroundings.close());

function cellOf(title: string): Cell {
  const cell = CELLS.find((one) => titleOf(one) === title);
  if (!cell) throw new Error(`There is no cell ${title}.`);
  return cell;
}

const LOST: Expected = { code: "network_error", retries: 0, store: "lost", answerLost: true };

describe("a wrong outcome turns a cell red", () => {
  const lost = "passthrough, refresh: reset in mid-body, once";
  const renewed = "passthrough, refresh: refused, once";
  it.each<[string, string, Expected]>([
    ["another code", lost, { ...LOST, code: "invalid_response" }],
    ["a success in the place of an error", lost, { retries: 0, store: "new" }],
    ["an error in the place of a success", renewed, { ...LOST, retries: 1 }],
    ["a retry that must not be", renewed, { retries: 0, store: "new" }],
    ["a retry that is missing", renewed, { retries: 2, store: "new" }],
    ["a note in the store that must not be", lost, { ...LOST, store: "same" }],
    ["a login that was to be removed", lost, { ...LOST, store: "gone" }],
    ["a login that was to be kept as it was", renewed, { retries: 1, store: "same" }],
    ["an answer that is not told to be lost", lost, { code: "network_error", retries: 0, store: "lost" }],
    ["what may safely be done again", lost, { ...LOST, unprocessed: true }],
  ])("%s", async (_name, title, rule) => {
    await expect(fill(cellOf(title), surroundings, rule)).rejects.toThrow(/expected|no AuthError/);
  });

  it("and the right one does not", async () => {
    await fill(cellOf(lost), surroundings, LOST);
    await fill(cellOf(renewed), surroundings, { retries: 1, store: "new" });
  });

  it("a fault that no request met", async () => {
    const cell: Cell = { ...cellOf(lost), by: "device" };
    await expect(fill(cell, surroundings)).rejects.toThrow("the fault was met");
  });

  it("a request that went to another origin", async () => {
    const { origin, asked } = surroundings.elsewhere;
    await (await fetch(origin)).text();
    await expect(fill(cellOf(lost), surroundings, LOST)).rejects.toThrow("what another origin was asked");
    asked.length = 0;
  });
});

describe("what is told is looked through", () => {
  const secret = "a-refresh-token-0123456789";
  const requests: WireRequest[] = [
    { method: "POST", path: "/token", headers: {}, body: `refresh-token=${secret}` },
  ];
  const called = (more: Partial<Called>): Called => ({
    ...{ login: undefined, tookMs: 1, events: [], told: "", before: "", after: "" },
    ...more,
  });

  it.each<[string, Partial<Called>]>([
    ["a sentence", { told: `It was ${secret}.` }],
    ["a message", { error: new AuthError("request_failed", `It was ${secret}.`) }],
    ["a hint", { error: new AuthError("request_failed", "No.", { hint: `Try ${secret.slice(0, 20)}` }) }],
    ["a cause", { error: new AuthError("request_failed", "No.", { cause: new Error(btoa(secret)) }) }],
  ])("a secret in %s is found", (_name, more) => {
    expect(() => checkSecrets(called(more), requests)).toThrow("secrets in");
    expect(() => checkSecrets(called({}), requests)).not.toThrow();
  });

  const rule: Expected = { code: "network_error", retries: 0, store: "same" };
  const where = { origin: "https://auth.example.org", boundMs: 100 };
  const told = (message: string, hint: string | undefined, more: Partial<Called> = {}) =>
    called({ error: new AuthError("network_error", message, { hint }), ...more });

  it.each<[string, Called]>([
    ["an error that does not say where", told("It failed.", undefined)],
    ["a hint that says nothing", told("https://auth.example.org failed.", "no")],
    ["a call that takes too long", told("https://auth.example.org failed.", undefined, { tookMs: 200 })],
    ["an error that is none of ours", called({ error: new TypeError("fetch failed") })],
  ])("%s is found", (_name, wrong) => {
    expect(() => checkOutcome(wrong, rule, where)).toThrow();
    expect(() =>
      checkOutcome(told("https://auth.example.org failed.", undefined), rule, where),
    ).not.toThrow();
  });
});
