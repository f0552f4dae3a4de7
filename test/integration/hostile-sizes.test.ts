import { beforeEach, describe, expect, it } from "vitest";
import { AuthError } from "../../src/errors.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { startHostileServer } from "../support/hostile-server.js";
import { ALL_HOSTILE, longText } from "../support/hostile-text.js";
import { hostileWorld, KINDS, PATHS, shownOf, TARGETS } from "../support/hostile-world.js";
import { troublesIn } from "../support/screen.js";

/** Answers of a megabyte, or of a hundred thousand members or levels. */

beforeEach(forgetAllDocuments);

describe("answers without measure", { timeout: 120_000 }, () => {
  const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const nested = (name: string) => `${`{"${name}":`.repeat(90_000)}1${"}".repeat(90_000)}`;
  const MEASURELESS: Readonly<Record<string, string>> = {
    "a megabyte of a code": JSON.stringify({
      device_code: "d",
      user_code: longText(ALL_HOSTILE),
      verification_uri: "https://good.example/",
    }),
    "a megabyte of an error": JSON.stringify({ error: longText("\u001b[2J") }),
    "a megabyte of a description": JSON.stringify({
      error: "invalid_grant",
      error_description: longText(ALL_HOSTILE),
    }),
    "a megabyte of an unknown error's detail": JSON.stringify({ detail: longText("x ") }),
    "a hundred thousand failures": JSON.stringify({ detail: Array(60_000).fill({ msg: "x" }) }),
    "a hundred thousand scopes": JSON.stringify({
      access_token: "t",
      token_type: "bearer",
      scope: Array.from({ length: 100_000 }, (_, index) => `s${index}`).join(" "),
    }),
    "a hundred thousand members": JSON.stringify(
      Object.fromEntries(Array.from({ length: 80_000 }, (_, index) => [`m${index}`, 1])),
    ),
    "a hundred thousand levels of lists": DEEP,
    "levels of lists in what is read": `{"error":${DEEP},"detail":${DEEP},"access_token":"t","scope":"s","user_code":"u"}`,
    "levels of details": nested("detail"),
    "levels of messages": nested("message"),
    "more than a megabyte": "x".repeat(1_100_000),
  };

  it.each(Object.entries(MEASURELESS))("%s: little is said, and soon", async (_name, body) => {
    for (const kind of KINDS) {
      for (const status of [200, 400]) {
        for (const [name, paths] of Object.entries(PATHS)) {
          const server = await startHostileServer({ evil: () => "x" });
          server.answers.set(paths[KINDS.indexOf(kind)] ?? "", {
            status,
            headers: { "content-type": "application/json" },
            body,
          });
          const { ways, told } = hostileWorld(TARGETS[kind](server.host));
          const result = await ways[name]?.().catch((error: unknown) => error);
          if (result instanceof Error) expect(result, name).toBeInstanceOf(AuthError);
          expect(troublesIn(shownOf(result), told), name).toEqual([]);
          expect(JSON.stringify(told).length).toBeLessThan(60_000);
          // What comes back can be written down.
          expect(() => JSON.stringify(result)).not.toThrow();
        }
      }
    }
  });
});
