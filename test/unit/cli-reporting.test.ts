import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { reporting } from "../../src/cli/warnings.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function world() {
  let written = "";
  const stderr = { write: (text: string) => (written += text) };
  const io = { stdout: stderr, stderr, env: {}, signal: new AbortController().signal };
  return { ...reporting(io), text: () => written };
}

it("a renewal that takes long is told, a quick one is not", () => {
  const { onEvent, text } = world();
  onEvent({ type: "refresh_started", server: "https://x.org" });
  vi.advanceTimersByTime(2900);
  onEvent({ type: "refreshed", server: "https://x.org" });
  vi.advanceTimersByTime(10_000);
  expect(text()).toBe("");
  onEvent({ type: "refresh_started", server: "https://x.org" });
  vi.advanceTimersByTime(3100);
  expect(text()).toBe(
    "oidc-auth: waiting for https://x.org to renew the token; a second Ctrl-C gives it up\n",
  );
});

it("what is tried again, what was not granted, and warnings are told", () => {
  const { onEvent, text } = world();
  onEvent({ type: "retrying", what: "the refresh", delayMs: 1500, reason: "It is down." });
  onEvent({ type: "scope_reduced", server: "https://x.org", missing: ["a", "b"] });
  onEvent({ type: "warning", message: "The clock is off." });
  expect(text().split("\n")).toEqual([
    "oidc-auth: the refresh is tried again in 2 s: It is down.",
    "oidc-auth: warning: the server did not grant a, b",
    "oidc-auth: warning: The clock is off.",
    "",
  ]);
});
