// Writes the page of all commands and options for the site, from what the commands say of themselves.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EVERYWHERE } from "../dist/cli/command.js";
import { COMMANDS, loadCommand } from "../dist/cli/registry.js";

const folder = resolve(import.meta.dirname, "../docs/api");

/** A text as a cell of a table takes it, and the site's pages, which read tags. */
const cell = (text) => text.replaceAll("<", "&lt;").replaceAll("|", "\\|");

const page = [
  "# Commands and options",
  "",
  "What `oidc-auth COMMAND --help` tells of each command. How they are used is in [the guide](../cli.md).",
];
for (const name of Object.keys(COMMANDS)) {
  const { usage, about, options, examples } = await loadCommand(name);
  page.push("", `## ${name}`, "", "```sh", `oidc-auth ${usage}`, "```", "", cell(about), "");
  page.push("| option | meaning |", "| --- | --- |");
  for (const [option, { short, value, help }] of Object.entries({ ...options, ...EVERYWHERE })) {
    const flag = `${short ? `-${short}, ` : ""}--${option}${value ? ` ${value}` : ""}`;
    page.push(`| \`${flag}\` | ${cell(help)} |`);
  }
  page.push("", "```sh", ...examples, "```");
}
await writeFile(resolve(folder, "commands.md"), `${page.join("\n")}\n`);

const file = resolve(folder, "typedoc-sidebar.json");
const modules = JSON.parse(await readFile(file, "utf8"));
await writeFile(
  file,
  JSON.stringify([{ text: "Commands and options", link: "/api/commands.md" }, ...modules]),
);
