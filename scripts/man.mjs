// Writes the manual page, from what the commands say of themselves.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { COMMANDS, loadCommand } from "../dist/cli/registry.js";

const root = resolve(import.meta.dirname, "..");
const { version } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));

/** A text as roff takes it: no backslash means anything, and no line begins a macro. */
const roff = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");

const page = [
  `.TH OIDC-AUTH 1 "" "oidc-auth-client ${version}"`,
  ".SH NAME",
  `oidc\\-auth \\- a valid bearer token for an auth server`,
  ".SH SYNOPSIS",
  ".B oidc\\-auth",
  roff("COMMAND [HOST] [options]"),
  ".br",
  ".B oidc\\-auth",
  roff("HOST [options]"),
  ".SH DESCRIPTION",
  roff(
    "Gives a valid token: the stored one, else a renewed one, else one from a login. HOST is a server with the py-oidc-auth routes, with --client-id an OpenID provider, with --api an API that names its provider, or the name of a profile.",
  ),
  ".SH COMMANDS",
];
for (const name of Object.keys(COMMANDS)) {
  const { usage, about, options, examples } = await loadCommand(name);
  page.push(`.SS ${roff(`oidc-auth ${usage}`)}`, roff(about));
  for (const [option, { short, value, help }] of Object.entries(options)) {
    page.push(
      ".TP",
      `.B ${roff(`${short ? `-${short}, ` : ""}--${option}${value ? ` ${value}` : ""}`)}`,
      roff(help),
    );
  }
  page.push(".PP", "Examples:", ".nf", ...examples.map((example) => roff(`  ${example}`)), ".fi");
}
page.push(
  ".SH EXIT STATUS",
  ...[
    ["0", "all is well"],
    ["1", "it failed"],
    ["2", "wrong usage, or a wrong setting"],
    ["3", "a person has to log in, and nobody can be reached"],
    ["4", "a login was given up, or ran out of time"],
    ["130", "ended by Ctrl-C"],
  ].flatMap(([status, meaning]) => [".TP", `.B ${status}`, roff(meaning)]),
  ".SH ENVIRONMENT",
  ...[
    ["OIDC_TOKEN_FILE", "a token file to use instead of the default one"],
    ["OIDC_AUTH_CONFIG", "the file of profiles"],
    ["INTERACTIVE_SESSION", "1: somebody can log in here; 0: nobody can"],
    ["OIDC_AUTH_DEBUG", "1: show what happens, with secrets masked, and where an error comes from"],
    ["HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "the way to the server"],
  ].flatMap(([name, meaning]) => [".TP", `.B ${roff(name)}`, roff(meaning)]),
);
await mkdir(resolve(root, "dist/man"), { recursive: true });
await writeFile(resolve(root, "dist/man/oidc-auth.1"), `${page.join("\n")}\n`);
