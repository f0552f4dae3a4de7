// A command line tool with a login: `login`, `whoami`, `logout`.
import { Command, Option } from "commander";
import { AuthError, authenticate, createAuthFetch, ERROR_KINDS, logout } from "oidc-auth-client";

// Ctrl-C ends a login, and whatever else waits.
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

// Names the folder of the token file; whoever starts the tool in a job may set OIDC_TOKEN_FILE instead.
const options = { appName: "example-cli", signal: interrupted.signal };

const program = new Command("example")
  .description("Tells who you are.")
  .addOption(new Option("--host <address>", "the auth server").env("AUTH_HOST").makeOptionMandatory());
const host = (): string => program.opts().host;

program
  .command("login")
  .description("log in, unless you are")
  .option("--force", "log in anew, say as somebody else")
  .action(async ({ force }) => {
    const token = await authenticate(host(), { ...options, force });
    console.log(`You are logged in. The token is renewed by itself, first at ${time(token.expiresAt)}.`);
  });

program
  .command("whoami")
  .description("ask the API who you are; logs in where that is needed")
  .action(async () => {
    const authFetch = createAuthFetch(host(), options);
    const answer = await authFetch(`${host()}/me`, { signal: interrupted.signal });
    if (!answer.ok) throw new Error(`The API answers ${answer.status}.`);
    console.log(((await answer.json()) as { username: string }).username);
  });

program
  .command("logout")
  .description("forget the login")
  .action(async () => {
    const { removed } = await logout(host(), options);
    console.log(removed ? "You are logged out." : "You were not logged in.");
  });

const time = (seconds: number) => new Date(seconds * 1000).toLocaleTimeString();

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof AuthError)) throw error;
  // The message says what happened, the hint what to do next; 3: somebody has to log in, and nobody can.
  console.error(`${error.message}\n${error.hint}`);
  process.exitCode = ERROR_KINDS[error.code].exit;
}
