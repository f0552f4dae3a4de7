import { createAuthenticator } from "../../authenticate.js";
import { isAuthError } from "../../errors.js";
import { cleanText } from "../../text.js";
import { type Command, type Input, isOn, type Option, textOf, UsageError } from "../command.js";
import type { CliIo } from "../io.js";
import { readInput } from "../standard-input.js";
import { LOGIN_OPTIONS, type Resolved, resolveTarget, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

export const command: Command = {
  usage: "git-credential get|store|erase --auth HOST [options]",
  about:
    "A credential helper for git: it gives the access token as the password, renews it when git says that it was refused, and never stores what git tells it.",
  words: [1, 1],
  options: {
    auth: { type: "string", value: "HOST", help: "the auth server, or the name of a profile" },
    username: { type: "string", value: "NAME", help: "the name that goes with the token (default oauth2)" },
    ...TARGET_OPTIONS,
    ...(LOGIN_OPTIONS as Record<string, Option>),
  },
  examples: [
    "git config --global credential.https://git.example.org.helper '!oidc-auth git-credential --auth prod'",
    "printf 'protocol=https\\nhost=git.example.org\\n\\n' | oidc-auth git-credential get --auth prod",
  ],
  async run(input, io) {
    const [action] = input.positionals;
    if (action !== "get" && action !== "store" && action !== "erase") {
      throw new UsageError(`git-credential takes get, store or erase (it is ${action})`);
    }
    const auth = textOf(input, "auth");
    if (auth === undefined)
      throw new UsageError("--auth is missing: the auth server, or the name of a profile");
    const asked = await readAttributes(io);
    // What git says went well is already stored, in its own place.
    if (action === "store") return 0;
    // Over plain http the token could be read on the way; the user's own allowance counts.
    if (asked["protocol"] !== "https" && !isOn(input, "allow-insecure-host")) {
      const { protocol = "an unnamed protocol", host = "" } = asked;
      if (action === "get")
        io.stderr.write(
          `oidc-auth: no token over ${cleanText(protocol)}: ${cleanText(host)} (use https, or --allow-insecure-host)\n`,
        );
      return 0;
    }
    const resolved = await resolveTarget(auth, input, io);
    return action === "get" ? get(resolved, asked, input, io) : erase(resolved, asked, io);
  },
};

async function get(
  { target, options }: Resolved,
  asked: Readonly<Record<string, string>>,
  input: Input,
  io: CliIo,
): Promise<number> {
  const username = asked["username"] ?? textOf(input, "username") ?? "oauth2";
  try {
    const token = await createAuthenticator(target, { ...options, ...reporting(io) })();
    const lines = [
      `username=${username}`,
      `password=${token.accessToken}`,
      `password_expiry_utc=${token.expiresAt}`,
    ];
    io.stdout.write(`${lines.join("\n")}\n`);
    return 0;
  } catch (error) {
    // git asks the next helper, or the person, where we print nothing.
    if (!isAuthError(error, "interaction_required")) throw error;
    io.stderr.write(`oidc-auth: ${error.message} Log in: ${options.loginCommand}\n`);
    return 0;
  }
}

/** git says that the password was refused: the token is renewed at the next call, and no other login is touched. */
async function erase(
  { target, options, store, config }: Resolved,
  asked: Readonly<Record<string, string>>,
  io: CliIo,
): Promise<number> {
  const stored = await store.get(config, { account: options.account });
  if (!stored || asked["password"] !== stored.accessToken) return 0;
  await createAuthenticator(target, { ...options, interactive: false, ...reporting(io) })({
    rejected: stored.accessToken,
  }).catch((error: unknown) => {
    if (!isAuthError(error, "interaction_required")) throw error;
  });
  return 0;
}

/** `name=value` lines until an empty one (git-credential(1)). */
async function readAttributes(io: CliIo): Promise<Record<string, string>> {
  const text = await readInput(io, (read) => /^\n|\n\n/.test(read));
  const attributes: Record<string, string> = Object.create(null);
  for (const line of text.split("\n")) {
    const mark = line.indexOf("=");
    if (mark > 0) attributes[line.slice(0, mark)] = line.slice(mark + 1).replace(/\r$/, "");
  }
  return attributes;
}
