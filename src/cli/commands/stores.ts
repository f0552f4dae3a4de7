import { cleanText } from "../../text.js";
import { type Command, isOn, JSON_OPTION } from "../command.js";
import { MAX_LINE, print } from "../io.js";
import { storedLogin } from "../stored-login.js";
import { openStore, TARGET_OPTIONS } from "../target.js";

const STORE_OPTIONS = { "app-name": TARGET_OPTIONS["app-name"], store: TARGET_OPTIONS.store } as const;

export const list: Command = {
  usage: "list [options]",
  about: "Lists the servers with a stored login.",
  words: [0, 0],
  options: { ...JSON_OPTION, ...STORE_OPTIONS },
  examples: ["oidc-auth list", "oidc-auth list --json"],
  async run(input, io) {
    const store = openStore(input, io);
    const hosts = await store.hosts();
    if (hosts.length === 0)
      io.stderr.write(`No login is stored in ${store.path ?? store.backend.description}.\n`);
    print(io, isOn(input, "json"), hosts, hosts.map((host) => `${cleanText(host, MAX_LINE)}\n`).join(""));
    return 0;
  },
};

export const clear: Command = {
  usage: "clear [options]",
  about: "Forgets all stored logins. The servers are not told: oidc-auth logout does that.",
  words: [0, 0],
  options: { ...JSON_OPTION, ...STORE_OPTIONS },
  examples: ["oidc-auth clear"],
  async run(input, io) {
    const store = openStore(input, io);
    const removed = await store.clear();
    const where = store.path ?? store.backend.description;
    print(
      io,
      isOn(input, "json"),
      { removed },
      `Removed ${removed} login${removed === 1 ? "" : "s"} from ${where}.\n`,
    );
    return 0;
  },
};

export const remove: Command = {
  usage: "remove HOST [options]",
  about: "Forgets one stored login, by its address, its profile, or the name that oidc-auth list shows.",
  options: { ...JSON_OPTION, ...TARGET_OPTIONS },
  examples: [
    "oidc-auth remove https://auth.example.org",
    "oidc-auth remove 'https://login.example.org?client_id=my-cli'",
  ],
  async run(input, io) {
    const name = input.positionals[0] ?? "";
    const { store, place, account, server } = await storedLogin(name, input, io);
    const removed = await store.remove(place, { account });
    const shown = cleanText(server, MAX_LINE);
    print(
      io,
      isOn(input, "json"),
      { removed },
      removed ? `Removed ${shown}.\n` : `No login for ${shown} was stored.\n`,
    );
    return 0;
  },
};
