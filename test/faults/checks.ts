import { expect } from "vitest";
import { isAuthError } from "../../src/errors.js";
import { isRecord } from "../../src/jwt.js";
import type { WireRequest } from "../support/fault-proxy.js";
import type { Called } from "./calls.js";
import type { Expected } from "./rules.js";
import { saidBy, secretsIn, secretsOf } from "./secrets.js";

/** Checks what a call came to, and what it left behind. */
export function checkOutcome(
  called: Called,
  rule: Expected,
  { origin, boundMs }: { origin: string; boundMs: number },
): void {
  const { error, value, tookMs, events, before, after } = called;
  if (rule.code === undefined) {
    expect(error, saidBy(error)).toBeUndefined();
  } else {
    if (!isAuthError(error)) expect.fail(`no AuthError: ${saidBy(error ?? value)}`);
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
    expect(message).toContain(origin);
  }
  const again = events.filter((event) => event.type === "retrying" && event.what !== "polling");
  expect(again.length, "how often it was sent again").toBe(rule.retries);
  expect(tookMs).toBeLessThan(boundMs);
  checkStore(before, after, rule.store);
}

function checkStore(before: string, after: string, rule: Expected["store"]): void {
  if (rule === "same") {
    expect(after, "the store").toBe(before);
    return;
  }
  const mark = /,\n {4}"refresh_lost_at": [\d.]+/;
  expect(mark.test(after), "whether a lost answer is noted").toBe(rule === "lost");
  if (rule === "lost") {
    expect(after.replace(mark, ""), "the store beside the note").toBe(before);
    return;
  }
  const entries = Object.values<unknown>(JSON.parse(after));
  expect(entries, "logins in the store").toHaveLength(rule === "gone" ? 0 : 1);
  if (rule === "new") expect(before).not.toContain(accessTokenOf(entries[0]));
}

function accessTokenOf(entry: unknown): string {
  const token = isRecord(entry) && isRecord(entry["token"]) ? entry["token"]["access_token"] : undefined;
  if (typeof token !== "string") return expect.fail("The store has no token.");
  return token;
}

/** Checks that nothing that is secret was told to anybody. */
export function checkSecrets({ error, told }: Called, requests: readonly WireRequest[]): void {
  const secrets = secretsOf(requests);
  expect(secretsIn(told, secrets), "secrets in what was told").toEqual([]);
  if (error !== undefined) expect(secretsIn(saidBy(error), secrets), "secrets in the error").toEqual([]);
}
