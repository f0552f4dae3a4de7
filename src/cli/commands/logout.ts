import { logout, withoutIdToken } from "../../logout.js";
import { type Command, isOn, JSON_OPTION, textOf } from "../command.js";
import { print } from "../io.js";
import { resolveTarget, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

export const command: Command = {
  usage: "logout HOST [options]",
  about:
    "Revokes the tokens where the server can, forgets the login, and tells where a browser ends the session at the provider.",
  options: {
    "end-session": { type: "boolean", help: "open the browser there" },
    "return-to": {
      type: "string",
      value: "URL",
      help: "where the browser goes after that; must be registered",
    },
    ...JSON_OPTION,
    ...TARGET_OPTIONS,
  },
  examples: ["oidc-auth logout https://auth.example.org", "oidc-auth logout prod --end-session"],
  async run(input, io) {
    const { target, options, config } = await resolveTarget(input.positionals[0] ?? "", input, io);
    const { flow: _flow, ...rest } = options;
    const { endSessionUrl, ...done } = await logout(target, {
      ...rest,
      ...reporting(io),
      endSession: isOn(input, "end-session"),
      postLogoutRedirectUri: textOf(input, "return-to"),
    });
    const place = endSessionUrl === undefined ? undefined : withoutIdToken(endSessionUrl).href;
    const lines = [
      done.removed ? `Forgot the login for ${config.host}.` : `No login for ${config.host} was stored.`,
      ...(done.removed && !done.revoked
        ? ["The server has no revocation: its tokens end by themselves."]
        : []),
      ...(done.revoked ? ["Its tokens were revoked."] : []),
      ...(place ? ["To end the session in the browser, too, open:", place] : []),
    ];
    print(
      io,
      isOn(input, "json"),
      { ...done, ...(place && { endSessionUrl: place }) },
      `${lines.join("\n")}\n`,
    );
    return 0;
  },
};
