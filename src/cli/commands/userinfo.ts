import { cleanText } from "../../text.js";
import { userinfo } from "../../userinfo.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { print } from "../io.js";
import { rows } from "../summary.js";
import { resolveTarget, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

export const command: Command = {
  usage: "userinfo HOST [options]",
  about: "Asks the server who you are. It never asks anybody to log in.",
  options: { ...JSON_OPTION, ...TARGET_OPTIONS },
  examples: ["oidc-auth userinfo https://auth.example.org", "oidc-auth userinfo prod --json"],
  async run(input, io) {
    const { target, options } = await resolveTarget(input.positionals[0] ?? "", input, io);
    const claims = await userinfo(target, { ...options, interactive: false, ...reporting(io) });
    const lines = Object.entries(claims).map(
      ([name, value]) =>
        [cleanText(name, 60), cleanText(typeof value === "string" ? value : JSON.stringify(value))] as const,
    );
    print(io, isOn(input, "json"), claims, rows(lines));
    return 0;
  },
};
