import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Config } from "../../src/config.js";
import { detectEnvironment } from "../../src/environment.js";
import { chooseFlow } from "../../src/flows/choose-flow.js";
import { openSession, type Target } from "../../src/flows/session.js";

interface Row {
  readonly where: string;
  readonly env: Record<string, string>;
  readonly terminal: boolean;
  readonly asks: string;
  readonly browser: string;
  readonly issuer: string;
  readonly routes: string;
}

/** The table of docs/environments.md, as a person reads it. */
const rows: Row[] = readFileSync(join(import.meta.dirname, "../../docs/environments.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| (?!where|-)/.test(line))
  .map((line) => {
    const [, where = "", variables = "", terminal, asks = "", browser = "", issuer = "", routes = ""] = line
      .split("|")
      .map((cell) => cell.trim());
    const env = Object.fromEntries(
      [...variables.matchAll(/`(\w+)=([^`]*)`/g)].map(([, name, value]) => [name, value]),
    );
    return { where, env, terminal: terminal === "yes", asks, browser, issuer, routes };
  });

/** The first way in which a person would log in at a server that offers both. */
async function flowAt(target: Target, { env, terminal }: Row): Promise<string> {
  const environment = detectEnvironment({
    env,
    platform: "linux",
    stdinIsTty: terminal,
    stderrIsTty: terminal,
  });
  if (!environment.interactive) return "none";
  const session = openSession(target, { env });
  const both = { ...session, server: async () => ({ hasCodeFlow: async () => true }) };
  const [first] = await chooseFlow(both as never, "auto", environment, new AbortController().signal);
  return first ?? "";
}

it("the table has a line for each place", () => {
  expect(rows.length).toBeGreaterThanOrEqual(18);
});

it.each(rows)("$where", async (row) => {
  const facts = {
    env: row.env,
    platform: "linux" as const,
    stdinIsTty: row.terminal,
    stderrIsTty: row.terminal,
  };
  const { interactive, browser } = detectEnvironment(facts);
  const yes = (value: boolean) => (value ? "yes" : "no");
  expect({ asks: yes(interactive), browser: yes(browser) }).toEqual({ asks: row.asks, browser: row.browser });
  const issuer = new Config({ issuer: "https://login.example.org", clientId: "x" });
  expect(await flowAt(issuer, row)).toBe(row.issuer);
  expect(await flowAt("https://auth.example.org", row)).toBe(row.routes);
});
