import { COMMANDS } from "./registry.js";

/** What the program is for, and its commands. */
export function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length)) + 2;
  const commands = Object.entries(COMMANDS).map(([name, about]) => `  ${name.padEnd(width)}${about}`);
  return `Usage: oidc-auth COMMAND [HOST] [options]
       oidc-auth HOST [options]                 the same as: oidc-auth login HOST
       oidc-auth --list | --clear | --remove HOST

Gives a valid token for an auth server: the stored one, else a renewed one, else one from a login. HOST is a server with
the py-oidc-auth routes, with --client-id an OpenID provider, with --api an API that names its provider, or the name of a
profile (oidc-auth config).

Commands:
${commands.join("\n")}

oidc-auth COMMAND --help tells all of a command, with examples.

  -h, --help     this text
  -V, --version  the version

Environment:
  OIDC_TOKEN_FILE      a token file to use instead of the default one
  OIDC_AUTH_CONFIG     the file of profiles
  INTERACTIVE_SESSION  1: somebody can log in here; 0: nobody can
  OIDC_AUTH_DEBUG      1: show what happens, with secrets masked, and where an error comes from
  OIDC_AUTH_DOCKER     the profile that the credential helper for docker asks
  NO_COLOR, TERM=dumb  plain lines: nothing moves, nothing is coloured
  HTTPS_PROXY, NO_PROXY

Examples:
  oidc-auth https://auth.example.org
  oidc-auth login https://login.example.org/realms/x --client-id my-cli
  curl -H "$(oidc-auth token https://auth.example.org --header)" https://api.example.org/me

It ends with 0 when all is well, 1 when it failed, 2 for wrong usage, 3 where a person has to log in and nobody can, 4
where a login was given up or ran out of time, 130 for Ctrl-C.
`;
}
