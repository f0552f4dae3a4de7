import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS, type CommandName, loadCommand } from "../../src/cli/registry.js";
import { filesIn } from "../guards/imports.js";
import { Exports } from "./exports.js";
import { ROOT, readPage } from "./pages.js";

const page = readPage("docs/configuration.md");
/** What a text sets as code, word by word: `{ qr, plain }` names two. */
const namedIn = (text: string) =>
  new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => code.match(/[A-Za-z_]\w*/g) ?? []));
const named = namedIn(page);

describe("the page of the configuration", () => {
  it("names every option of the library", { timeout: 60_000 }, () => {
    const options = new Exports("src/index.ts").members(
      "src/index.ts",
      ...["AuthenticateOptions", "AuthFetchOptions", "LogoutOptions", "TokenStoreOptions", "NetworkOptions"],
      ...["LoopbackPagesOptions", "TerminalOptions", "RoutesInit", "IssuerInit", "ResourceInit", "Endpoints"],
    );
    expect(options.length).toBeGreaterThan(60);
    expect(options.filter((name) => !named.has(name))).toEqual([]);
  });

  it("names every member of a profile", { timeout: 60_000 }, () => {
    const file = "src/cli/profiles.ts";
    const members = new Exports(file).members(file, "Profile");
    expect(members.length).toBeGreaterThan(10);
    const [, section = ""] = /^## Profiles\n(.*?)^## /ms.exec(page) ?? [];
    const there = namedIn(section);
    expect(members.filter((name) => !there.has(name))).toEqual([]);
  });

  it("names, with that of the command line, every option of every command", async () => {
    const both = page + readPage("docs/cli.md");
    const commands = await Promise.all((Object.keys(COMMANDS) as CommandName[]).map(loadCommand));
    const options = new Set(commands.flatMap((command) => Object.keys(command.options)));
    expect(options.size).toBeGreaterThan(30);
    const isNamed = (option: string) => new RegExp(`--(no-)?${option}(?![\\w-])`).test(both);
    expect([...options].filter((option) => !isNamed(option))).toEqual([]);
  });

  it("names every environment variable that the source reads", () => {
    const sources = filesIn("src", /\.ts$/).map((file) => readFileSync(join(ROOT, file), "utf8"));
    // Read one by one, or listed by name in capitals.
    const read = sources.flatMap((text) => [
      ...[...text.matchAll(/\benv\["(\w+)"\]/g)].map(([, name = ""]) => name),
      ...[...text.matchAll(/(?:variableToken|either)\("([A-Z_]+)"/g)].map(([, name = ""]) => name),
    ]);
    const judged = readFileSync(join(ROOT, "src/environment.ts"), "utf8").match(/"[A-Z][A-Z_]+"/g) ?? [];
    const variables = new Set([...read, ...judged.map((name) => name.slice(1, -1))]);
    expect(variables.size).toBeGreaterThan(40);
    expect([...variables].filter((name) => !named.has(name))).toEqual([]);
  });
});
