import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hostileHome, judge, LOGIN } from "../support/hostile-home.js";
import { ALL_HOSTILE, HOSTILE_TOKEN, MADE_BY_SHELL } from "../support/hostile-text.js";
import { startPlainServer } from "../support/plain-server.js";
import { run, runCli } from "../support/program.js";

/** Shells and other programs read what the built program prints of a hostile server's token: real ones, of this machine. */

const GIT_ASKS = "protocol=https\nhost=git.example.org\n\n";

describe("what other programs read of it", { timeout: 120_000 }, () => {
  it("a shell gets the token as it is, and runs nothing", async () => {
    const all = await hostileHome(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    for (const shell of ["bash", "sh"]) {
      for (const script of [
        `eval "$(oidc-auth token ${host} --format env)"; printf '%s' "$OIDC_ACCESS_TOKEN"`,
        `oidc-auth exec ${host} -- sh -c 'printf "%s" "$OIDC_ACCESS_TOKEN"'`,
        `oidc-auth exec ${host} -- sh -c 'cat "$OIDC_ACCESS_TOKEN_FILE"'`,
        `printf '%s' "$(oidc-auth token ${host})"`,
      ]) {
        const ran = await run([shell, "-c", script], all.env, { cwd: all.home });
        expect([script, ran.stderr.toString(), ran.stdout.toString()]).toEqual([script, "", HOSTILE_TOKEN]);
        expect(readdirSync(all.home)).not.toContain(MADE_BY_SHELL);
      }
    }
    const kept = `eval "$(oidc-auth token ${host} --format env)"; printf '%s %s' "$OIDC_TOKEN_TYPE" "$OIDC_EXPIRES_AT"`;
    expect((await run(["bash", "-c", kept], all.env, { cwd: all.home })).stdout.toString()).toMatch(
      /^Bearer \d+$/,
    );
  });

  it("curl sends it as one header, and git and docker take it as one value", async () => {
    const all = await hostileHome(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    const sent: (string | undefined)[] = [];
    const port = await startPlainServer(({ headers }, response) => {
      sent.push(headers.authorization);
      response.end(JSON.stringify(headers));
    });
    const script = `curl -sK <(oidc-auth token ${host} --format curl) http://127.0.0.1:${port}/`;
    const ran = await run(["bash", "-c", script], all.env, { cwd: all.home });
    expect(ran.code).toBe(0);
    expect(sent).toEqual([`Bearer ${HOSTILE_TOKEN}`]);
    expect(Object.keys(JSON.parse(ran.stdout.toString())).sort()).toEqual([
      "accept",
      "authorization",
      "host",
      "user-agent",
    ]);
    const git = (await all.cli(["git-credential", "get", "--auth", host], GIT_ASKS)).stdout.toString();
    const lines = git.trimEnd().split("\n");
    expect(lines.map((line) => line.split("=")[0])).toEqual(["username", "password", "password_expiry_utc"]);
    expect(lines[1]).toBe(`password=${HOSTILE_TOKEN}`);
    expect((await all.cli(["config", "set", "evil", host])).code).toBe(0);
    const docker = await runCli(
      ["docker-credential", "get"],
      { ...all.env, OIDC_AUTH_DOCKER: "evil" },
      { input: "registry.example.org" },
    );
    expect(JSON.parse(docker.stdout.toString())).toMatchObject({ Secret: HOSTILE_TOKEN });
    const netrc = (await all.cli(["token", host, "--format", "netrc"])).stdout.toString();
    expect(netrc.trimEnd().split(/\s/)).toEqual([
      "machine",
      "127.0.0.1",
      "login",
      "oauth2",
      "password",
      HOSTILE_TOKEN,
    ]);
  });

  it("AWS gets JSON, whatever its token service says", async () => {
    const all = await hostileHome(() => ALL_HOSTILE);
    const host = all.server.host;
    expect((await all.cli(["login", host, ...LOGIN])).code).toBe(0);
    const words = [
      "token",
      host,
      "--format",
      "aws",
      "--role-arn",
      "arn:aws:iam::1:role/r",
      "--sts-endpoint",
      `${host}/sts`,
    ];
    const text = ALL_HOSTILE.replaceAll("<", "");
    const fields = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(
      (one) => `<${one}>${text}</${one}>`,
    );
    all.server.answers.set("/sts", { body: `<x>${fields.join("")}</x>` });
    const good = await all.cli(words);
    expect(good.code).toBe(0);
    judge(all, good, "aws", true);
    all.server.answers.set("/sts", { status: 403, body: `<Message>${text}</Message>` });
    const refused = await all.cli(words);
    expect(refused.code).toBe(1);
    judge(all, refused, "aws", false);
  });
});
