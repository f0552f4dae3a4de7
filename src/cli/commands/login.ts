import { createAuthenticator } from "../../authenticate.js";
import { tokenJson } from "../../store/entry.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { print } from "../io.js";
import { summary } from "../summary.js";
import { LOGIN_OPTIONS, resolveTarget, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

export const command: Command = {
  usage: "login HOST [options]",
  about:
    "Logs in, or reuses or renews the stored login, and prints a summary. HOST is a server with the py-oidc-auth routes, with --client-id an issuer, with --api an API that names its issuer, or the name of a profile.",
  options: {
    force: { type: "boolean", short: "f", help: "log in even where a stored token would do" },
    ...JSON_OPTION,
    ...LOGIN_OPTIONS,
    ...TARGET_OPTIONS,
  },
  examples: [
    "oidc-auth login https://auth.example.org",
    "oidc-auth login https://login.example.org/realms/x --client-id my-cli --flow device",
    "oidc-auth login prod --force",
  ],
  async run(input, io) {
    const name = input.positionals[0] ?? "";
    const { target, options, store, config } = await resolveTarget(name, input, io);
    let outcome = "reused";
    const events = reporting(io, ({ type }) => {
      if (type === "logged_in") outcome = "logged in";
      else if (type === "reused" || type === "refreshed" || type === "granted") outcome = type;
    });
    const token = await createAuthenticator(target, { ...options, force: isOn(input, "force"), ...events })();
    print(io, isOn(input, "json"), tokenJson(token), summary(config.host, outcome, token, store));
    return 0;
  },
};
