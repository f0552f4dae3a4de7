import { AuthError } from "../../errors.js";
import { tokenJson } from "../../store/entry.js";
import { unasked } from "../asks-nobody.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { print } from "../io.js";
import { loginOf, storedBelow } from "../stored-login.js";
import { summary } from "../summary.js";
import { LOGIN_OPTIONS, resolveTarget, SECRET_OPTION, TARGET_OPTIONS } from "../target.js";

export const command: Command = {
  usage: "refresh HOST [options]",
  about: "Renews the stored token now, whether or not it is still good. It never asks anybody to log in.",
  options: {
    ...JSON_OPTION,
    ...TARGET_OPTIONS,
    ...SECRET_OPTION,
    credentials: LOGIN_OPTIONS.credentials,
    explain: LOGIN_OPTIONS.explain,
  },
  examples: ["oidc-auth refresh https://auth.example.org"],
  async run(input, io) {
    const resolved = await resolveTarget(input.positionals[0] ?? "", input, io);
    const { options, store, config } = resolved;
    const stored = await store.get(config, { account: options.account });
    if (!stored && !config.settings.credentials) {
      throw new AuthError(
        "interaction_required",
        `No login for ${config.host} is stored, so that there is nothing to renew.`,
        {
          hint: `${await storedBelow(loginOf(resolved))}Log in: ${resolved.options.loginCommand}`,
        },
      );
    }
    const authenticate = unasked({ why: "`refresh` asks nobody" }, resolved, io);
    const token = await authenticate({ rejected: stored?.accessToken });
    print(io, isOn(input, "json"), tokenJson(token), summary(config.host, "refreshed", token, store));
    return 0;
  },
};
