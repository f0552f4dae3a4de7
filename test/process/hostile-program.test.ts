import { describe, expect, it } from "vitest";
import { hostileHome, judge, LOGIN } from "../support/hostile-home.js";
import { ALL_HOSTILE, HOSTILE_TEXTS, longText } from "../support/hostile-text.js";

/** The built program and a hostile server: every byte that it writes is looked at. */

const GIT_ASKS = "protocol=https\nhost=git.example.org\n\n";

/** Each command that speaks with a server or shows what is stored, in an order in which each has something to do. */
const commands = (
  target: readonly string[],
): readonly (readonly [words: string[], options?: { json?: boolean; input?: string }])[] => [
  [["login", ...target, ...LOGIN, "--explain"]],
  [["login", ...target, ...LOGIN, "--force", "--json"], { json: true }],
  [["token", ...target]],
  [["token", ...target, "--header"]],
  [["token", ...target, "--format", "json"], { json: true }],
  [["token", ...target, "--format", "env"]],
  [["token", ...target, "--format", "curl"]],
  [["token", ...target, "--format", "netrc"]],
  [["status", ...target]],
  [["status", ...target, "--json"], { json: true }],
  [["status"]],
  [["list"]],
  [["list", "--json"], { json: true }],
  [["userinfo", ...target]],
  [["userinfo", ...target, "--json"], { json: true }],
  [["refresh", ...target, "--explain"]],
  [["refresh", ...target, "--json"], { json: true }],
  [["doctor", ...target]],
  [["doctor", ...target, "--json"], { json: true }],
  [["kubernetes", ...target], { json: true }],
  [["kubernetes", ...target, "--id-token"], { json: true }],
  [["git-credential", "get", "--auth", ...target], { input: GIT_ASKS }],
  [["exec", ...target, "--", "sh", "-c", 'printf "%s\\n" "$OIDC_ACCESS_TOKEN"']],
  [["logout", ...target]],
];

const TARGETS: Readonly<Record<string, (host: string) => readonly string[]>> = {
  "the routes": (host) => [host],
  "an issuer": (host) => [host, "--client-id", "cli", "--scopes", "read"],
};

describe.each(Object.entries(TARGETS))("against %s", (_kind, targetOf) => {
  it("every command writes nothing but text, whatever stands in every field", {
    timeout: 120_000,
  }, async () => {
    const all = await hostileHome(() => ALL_HOSTILE);
    for (const [words, { json = false, input = "" } = {}] of commands(targetOf(all.server.host))) {
      const ran = await all.cli(words, input);
      const what = words.join(" ");
      expect([what, ran.code, ran.code === 0 ? "" : ran.stderr.toString()]).toEqual([what, 0, ""]);
      judge(all, ran, what, json);
    }
    expect(all.server.requests.length).toBeGreaterThan(10);
  });

  it("refusals and failures are text, too, and with --explain", { timeout: 120_000 }, async () => {
    const all = await hostileHome(() => ALL_HOSTILE);
    const target = targetOf(all.server.host);
    const paths = [
      "/auth/v2/device",
      "/device",
      "/auth/v2/token",
      "/token",
      "/auth/v2/userinfo",
      "/userinfo",
      "/revoke",
    ];
    expect((await all.cli(["login", ...target, ...LOGIN])).code).toBe(0);
    const bodies = [
      { status: 400, body: { error: ALL_HOSTILE, error_description: ALL_HOSTILE } },
      { status: 400, body: { error: "invalid_grant", error_description: ALL_HOSTILE } },
      { status: 422, body: { detail: [{ loc: [ALL_HOSTILE], msg: ALL_HOSTILE }] } },
      { status: 500, body: ALL_HOSTILE },
      { raw: `HTTP/1.1 418 ${ALL_HOSTILE}\r\n\r\n` },
    ];
    for (const answer of bodies) {
      for (const path of paths) all.server.answers.set(path, answer);
      for (const words of [
        ["login", ...target, ...LOGIN, "--force", "--explain"],
        ["refresh", ...target, "--explain"],
        ["userinfo", ...target],
        ["doctor", ...target],
      ]) {
        const ran = await all.cli(words);
        const what = `${JSON.stringify(answer).slice(0, 40)} ${words.join(" ")}`;
        // Told as what it is, and not as a fault of the program.
        expect(ran.stderr.toString(), what).not.toMatch(/unexpected:|\n\s+at /);
        expect([1, 3, 4], what).toContain(ran.code);
        judge(all, ran, what, false);
      }
      all.server.answers.clear();
      await all.cli(["login", ...target, ...LOGIN, "--force"]);
    }
  });

  it.each(["scope", "name", "preferred_username", "claim", "message", "service_documentation"])(
    "a quarter of a megabyte of %s makes a short output",
    { timeout: 60_000 },
    async (large) => {
      const all = await hostileHome((field) =>
        field === large ? longText(`${HOSTILE_TEXTS["a title (OSC 0)"]} s `, 250_000) : "x",
      );
      const target = targetOf(all.server.host);
      for (const words of [
        ["login", ...target, ...LOGIN, "--explain"],
        ["status", ...target],
        ["userinfo", ...target],
        ["doctor", ...target],
      ]) {
        const ran = await all.cli(words);
        expect([words[0], ran.code]).toEqual([words[0], 0]);
        judge(all, ran, words.join(" "), false);
      }
    },
  );
});
