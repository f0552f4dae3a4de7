import { isAuthError } from "../../errors.js";
import { unasked } from "../asks-nobody.js";
import { type Command, textOf, UsageError } from "../command.js";
import { print } from "../io.js";
import { readProfiles } from "../profiles.js";
import { readInput } from "../standard-input.js";
import { resolveTarget, SECRET_OPTION, TARGET_OPTIONS } from "../target.js";

/** What docker looks for to tell "nothing is stored" from a failure. */
const NOT_FOUND = "credentials not found in native keychain";

export const command: Command = {
  usage: "docker-credential get|store|erase|list",
  about:
    "A credential helper for docker, as the program docker-credential-oidc-auth. docker gives the registry's address; the profile that OIDC_AUTH_DOCKER names says which auth server is asked.",
  words: [1, 1],
  options: {
    username: { type: "string", value: "NAME", help: "the name that goes with the token (default oauth2)" },
    ...TARGET_OPTIONS,
    ...SECRET_OPTION,
  },
  examples: [
    'OIDC_AUTH_DOCKER=prod docker pull registry.example.org/image    # ~/.docker/config.json: {"credHelpers": {"registry.example.org": "oidc-auth"}}',
    "echo registry.example.org | OIDC_AUTH_DOCKER=prod docker-credential-oidc-auth get",
  ],
  async run(input, io) {
    const [action] = input.positionals;
    if (action === "list") {
      io.stdout.write("{}\n");
      return 0;
    }
    if (action !== "get" && action !== "store" && action !== "erase") {
      throw new UsageError(`docker-credential takes get, store, erase or list (it is ${action})`);
    }
    const text = (await readInput(io)).trim();
    // docker's own login has nothing to tell us, and its logout must not end a login that others use.
    if (action !== "get") return 0;
    const profile = io.env["OIDC_AUTH_DOCKER"];
    if (!profile || !readProfiles(io.env)[profile]) {
      io.stdout.write(`${NOT_FOUND}\n`);
      const why = profile
        ? "the profile that OIDC_AUTH_DOCKER names does not exist: see oidc-auth config show, or make it"
        : "name a profile in OIDC_AUTH_DOCKER";
      io.stderr.write(`oidc-auth: ${why} (oidc-auth config set NAME HOST)\n`);
      return 1;
    }
    const resolved = await resolveTarget(profile, input, io);
    try {
      const token = await unasked({ why: "`docker-credential` asks nobody" }, resolved, io)();
      const username = textOf(input, "username") ?? "oauth2";
      print(io, true, { ServerURL: text, Username: username, Secret: token.accessToken }, "");
      return 0;
    } catch (error) {
      if (!isAuthError(error, "interaction_required")) throw error;
      io.stdout.write(`${NOT_FOUND}\n`);
      io.stderr.write(`oidc-auth: ${error.message} Log in: ${resolved.options.loginCommand}\n`);
      return 1;
    }
  },
};
