import { userinfo } from "../../userinfo.js";
import { askingNobody } from "../asks-nobody.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { print } from "../io.js";
import { rows } from "../summary.js";
import { resolveTarget, SECRET_OPTION, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

/** More claims than these are not for people. */
const MAX_ROWS = 100;

export const command: Command = {
  usage: "userinfo HOST [options]",
  about: "Asks the server who you are. It never asks anybody to log in.",
  options: { ...JSON_OPTION, ...TARGET_OPTIONS, ...SECRET_OPTION },
  examples: ["oidc-auth userinfo https://auth.example.org", "oidc-auth userinfo prod --json"],
  async run(input, io) {
    const resolved = await resolveTarget(input.positionals[0] ?? "", input, io);
    const options = { ...resolved.options, interactive: false, ...reporting(io) };
    const needed = askingNobody({ why: "`userinfo` asks nobody" }, resolved);
    const claims = await userinfo(resolved.target, options).catch(needed);
    const all = Object.entries(claims);
    const lines = all
      .slice(0, MAX_ROWS)
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const);
    const more = all.length > MAX_ROWS ? `${all.length - MAX_ROWS} more: see --json\n` : "";
    print(io, isOn(input, "json"), claims, rows(lines) + more);
    return 0;
  },
};
