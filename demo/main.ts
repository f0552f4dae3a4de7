import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isatty } from "node:tty";
import { detectEnvironment } from "../src/environment.js";
import { type AuthServer, approveDevice, startAuthServer } from "../src/testing/index.js";

/**
 * The main job, shown: a person logs in with the built CLI, the token opens a protected API, is reused, and is renewed
 * when it has ended. Where nobody sits in front of it, a scripted person clicks through the real pages.
 */

const CLI = join(import.meta.dirname, "../dist/cli/main.js");
/** Seconds. Short, so that nobody waits long to see it end. */
const TOKEN_LIFETIME = 8;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const serve = process.argv.includes("--serve");
  const server = await startAuthServer({
    deviceInterval: 1,
    ...(serve ? {} : { accessTokenLifetime: TOKEN_LIFETIME }),
  });
  try {
    if (serve) await serveUntilInterrupted(server);
    else await showAll(server);
  } finally {
    await server.close();
  }
}

async function serveUntilInterrupted(server: AuthServer): Promise<void> {
  const cli = "node dist/cli/main.js";
  say(`The demo auth server runs at ${server.host} (any name gets in). Try, in another terminal:\n`);
  say(`  ${cli} ${server.host}`);
  say(`  ${cli} ${server.host} --flow code`);
  say(`  ${cli} ${server.issuer} --client-id ${server.clientId}      # the OpenID provider behind it`);
  say(`  ${cli} ${server.host} --json > token.json      # then call ${server.meUrl} with its headers`);
  say("\nCtrl-C ends it.");
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

async function showAll(server: AuthServer): Promise<void> {
  const cache = mkdtempSync(join(tmpdir(), "oidc-auth-demo-"));
  const cli = (...args: string[]) => runCli(server, cache, args);
  try {
    say(`An auth server runs at ${server.host}.`);
    heading("1. The first call logs in");
    if (personWithBrowser()) await cli("--flow", "code");
    else await cli("--flow", "device", "--interactive");

    heading("2. The token opens a protected API");
    const token = JSON.parse(await cli("--json")) as { headers: Record<string, string> };
    const me = await fetch(server.meUrl, { headers: token.headers });
    say(`GET ${server.meUrl} answers ${me.status}: ${await me.text()}`);
    if (me.status !== 200) throw new Error("The protected API refused the token.");

    heading("3. The next call reuses it: no network, no question");
    expectSummary(await cli(), "reused");

    heading(`4. After ${TOKEN_LIFETIME} s it has ended: it is renewed, and nobody is asked`);
    await new Promise((resolve) => setTimeout(resolve, TOKEN_LIFETIME * 1000));
    expectSummary(await cli(), "refreshed");
    say(`\nThe server saw ${server.counts["refreshes"] ?? 0} refresh(es). That is all there is to it.`);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function heading(text: string): void {
  say(`\n${text}\n`);
}

function expectSummary(summary: string, word: string): void {
  if (!summary.includes(word))
    throw new Error(`The CLI was expected to say "${word}", and said:\n${summary}`);
}

/** Somebody who can click: a terminal, and a browser that opens in front of it. */
function personWithBrowser(): boolean {
  const [stdinIsTty, stderrIsTty] = [isatty(0), isatty(2)];
  const place = detectEnvironment({ env: process.env, platform: process.platform, stdinIsTty, stderrIsTty });
  return place.interactive && place.browser && stdinIsTty && stderrIsTty;
}

/** Runs the built CLI, shows what it says, and returns what it printed as its result. */
async function runCli(server: AuthServer, cache: string, args: readonly string[]): Promise<string> {
  say(`$ oidc-auth ${[server.host, ...args].join(" ")}`);
  const person = personWithBrowser();
  const child = spawn(process.execPath, [CLI, server.host, ...args], {
    env: { ...process.env, XDG_CACHE_HOME: cache, LOCALAPPDATA: cache, OIDC_TOKEN_FILE: "" },
    stdio: [person ? "inherit" : "ignore", "pipe", person ? "inherit" : "pipe"],
  });
  let result = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    result += text;
  });
  if (child.stderr) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      process.stderr.write(`${line}\n`);
      // Without a terminal the link stands on a line of its own, for programs such as this one.
      if (/^https?:\/\/\S*user_code=\S+$/.test(line)) void approve(line);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (!args.includes("--json")) process.stdout.write(result);
  if (code !== 0) throw new Error(`The CLI ended with ${code}.`);
  return result;
}

async function approve(link: string): Promise<void> {
  say("(nobody sits here: the demo opens the link, signs in as alice and allows access)");
  await approveDevice(link, { name: "alice" });
}

await main();
