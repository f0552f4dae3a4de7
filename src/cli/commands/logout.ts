import { logout, withoutIdToken } from "../../logout.js";
import { type Command, isOn, JSON_OPTION, textOf } from "../command.js";
import { print } from "../io.js";
import { storedBelow, storedLogin } from "../stored-login.js";
import { resolveTarget, SECRET_OPTION, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

export const command: Command = {
  usage: "logout HOST [options]",
  about:
    "Revokes the tokens where the server can, forgets the login, and tells where a browser ends the session at the provider. HOST may be the name that oidc-auth list shows.",
  options: {
    "end-session": { type: "boolean", help: "open the browser there" },
    "return-to": {
      type: "string",
      value: "URL",
      help: "where the browser goes after that; must be registered",
    },
    ...JSON_OPTION,
    ...TARGET_OPTIONS,
    ...SECRET_OPTION,
  },
  examples: ["oidc-auth logout https://auth.example.org", "oidc-auth logout prod --end-session"],
  async run(input, io) {
    const name = input.positionals[0] ?? "";
    const login = await storedLogin(name, input, io);
    const { store, place, account, server } = login;
    const endSession = isOn(input, "end-session");
    const json = isOn(input, "json");
    // No page is named: nobody knows whether there is one. Whoever asks for it gets it.
    if (!endSession && !(await store.get(place, { account }))) {
      print(io, json, { removed: false, revoked: false }, `No login for ${server} is stored.\n`);
      io.stderr.write(await storedBelow(login));
      return 0;
    }
    const { target, options } = login.resolved ?? (await resolveTarget(name, input, io));
    const { flow: _flow, ...rest } = options;
    const { endSessionUrl, ...done } = await logout(target, {
      ...rest,
      ...reporting(io),
      endSession,
      postLogoutRedirectUri: textOf(input, "return-to"),
    });
    const page = endSessionUrl === undefined ? undefined : withoutIdToken(endSessionUrl).href;
    const lines = [
      done.removed ? `Forgot the login for ${server}.` : `No login for ${server} was stored.`,
      ...(done.removed && !done.revoked
        ? ["The server has no revocation: its tokens end by themselves."]
        : []),
      ...(done.revoked ? ["Its tokens were revoked."] : []),
      ...(page ? ["To end the session in the browser, too, open:", page] : []),
    ];
    print(io, json, { ...done, ...(page && { endSessionUrl: page }) }, `${lines.join("\n")}\n`);
    return 0;
  },
};
