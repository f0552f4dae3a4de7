import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostileHome, judge } from "../support/hostile-home.js";
import { unsignedJwt } from "../support/hostile-server.js";
import { ALL_HOSTILE, HOSTILE_TEXTS, MADE_BY_SHELL } from "../support/hostile-text.js";
import { run } from "../support/program.js";

/** The built program and hostile text in its own files: every byte that it writes is looked at. */

/** A store as a server, or whoever else wrote it, would like it to be. */
function store(home: string, entries: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(home, "py-oidc-auth"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, "py-oidc-auth/token-store.json"), JSON.stringify(entries), { mode: 0o600 });
}

const LATER = 4_000_000_000;
const entry = (more: object = {}) => ({
  token: {
    access_token: "t",
    token_type: "Bearer",
    expires: LATER,
    refresh_token: "r",
    scope: ALL_HOSTILE,
    ...more,
  },
  stored_at: 1_700_000_000,
});

describe("what is stored", { timeout: 120_000 }, () => {
  it("is listed and told of as text, whatever its names and claims are", async () => {
    const all = await hostileHome(() => "x");
    const id_token = unsignedJwt({
      sub: [ALL_HOSTILE],
      name: ALL_HOSTILE,
      aud: { [ALL_HOSTILE]: ALL_HOSTILE },
      iss: ALL_HOSTILE,
    });
    const hosts = Object.values(HOSTILE_TEXTS).map((text) => `https://auth.example.org/${text}`);
    store(all.home, {
      ...Object.fromEntries(hosts.map((host) => [host, entry({ id_token })])),
      "https://good.example": entry({ id_token }),
      [ALL_HOSTILE]: entry({ id_token }),
      "https://named.example": { ...entry(), server: `https://named.example/${ALL_HOSTILE}` },
      // Nothing but an object: names that stand for methods elsewhere.
      "https://odd.example": entry({
        id_token: unsignedJwt({ sub: { toString: 1, valueOf: 1 }, name: 5, groups: { toString: 1 } }),
      }),
    });
    for (const [words, json] of [
      [["list"], false],
      [["list", "--json"], true],
      [["status"], false],
      [["status", "--json"], true],
      [["status", "https://good.example"], false],
      [["status", "https://odd.example"], false],
      [["status", "https://odd.example", "--json"], true],
    ] as const) {
      const ran = await all.cli(words);
      expect([words.join(" "), ran.code, ran.stderr.toString()]).toEqual([words.join(" "), 0, ""]);
      judge(all, ran, words.join(" "), json);
    }
    const lines = (await all.cli(["list"])).stdout.toString().trimEnd().split("\n");
    // One line for each, as programs read it.
    expect(lines).toHaveLength(hosts.length + 4);
  });

  it.each(["t\nX-Evil: 1", "t\u001b[2J", "t u", "t\u0000", "tö", "t\r\n"])(
    "a token that no header can carry is none: %j",
    async (access_token) => {
      const all = await hostileHome(() => "x");
      store(all.home, { "https://good.example": entry({ access_token }) });
      for (const words of [
        [],
        ["--header"],
        ["--format", "env"],
        ["--format", "curl"],
        ["--format", "json"],
      ]) {
        const ran = await all.cli(["token", "https://good.example", ...words]);
        expect(ran.code).toBe(3);
        expect(ran.stdout.toString()).toBe("");
        judge(all, ran, words.join(" "), false);
      }
    },
  );

  it("a type of token that is none is not told on", async () => {
    const all = await hostileHome(() => "x");
    store(all.home, {
      "https://good.example": entry({ token_type: `Bearer x\nevil: 1 '; touch ${MADE_BY_SHELL}; '` }),
    });
    const { stdout } = await all.cli(["token", "https://good.example", "--header"]);
    expect(stdout.toString()).toBe("Authorization: Bearer t\n");
    const script = `eval "$(oidc-auth token https://good.example --format env)"; printf '%s' "$OIDC_TOKEN_TYPE"`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.stdout.toString()).toBe("Bearer");
    judge(all, ran, script, false);
  });

  it("profiles are shown as text", async () => {
    const all = await hostileHome(() => "x");
    mkdirSync(join(all.home, "oidc-auth"));
    const profiles = {
      [ALL_HOSTILE]: { host: ALL_HOSTILE, clientId: ALL_HOSTILE },
      odd: { host: { toString: 1 }, clientId: [1] },
    };
    writeFileSync(join(all.home, "oidc-auth/config.json"), JSON.stringify({ profiles }));
    for (const words of [
      ["config", "show"],
      ["config", "show", "odd"],
      ["config", "show", "--json"],
    ]) {
      const ran = await all.cli(words);
      expect(ran.code).toBe(0);
      judge(all, ran, words.join(" "), words.includes("--json"));
    }
    expect((await all.cli(["token", "odd"])).code).toBe(2);
  });

  it("a name runs nothing when the shell completes it, nor when the line is sent", async () => {
    const all = await hostileHome(() => "x");
    const evil = [
      `https://evil.example/$(touch$IFS${MADE_BY_SHELL})`,
      `https://evil.example/;touch$IFS${MADE_BY_SHELL};`,
    ];
    store(all.home, Object.fromEntries(evil.map((host) => [host, entry()])));
    expect((await all.cli(["list"])).stdout.toString().trimEnd().split("\n").sort()).toEqual(
      [...evil].sort(),
    );
    const script = `eval "$(oidc-auth completion bash)"
COMP_WORDS=(oidc-auth token ""); COMP_CWORD=2; _oidc_auth
for word in "\${COMPREPLY[@]}"; do eval "printf '%s\\n' $word"; done`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.stdout.toString().trimEnd().split("\n").sort()).toEqual([...evil].sort());
    judge(all, ran, script, false);
  });
});
