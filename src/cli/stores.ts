import type { TokenStore } from "../store/token-store.js";
import type { Command } from "./arguments.js";
import type { CliIo } from "./run.js";

/** `--list`, `--clear`, `--remove HOST`. */
export async function manage(
  command: Exclude<Command, { name: "help" | "version" | "login" }>,
  io: CliIo,
  store: TokenStore,
): Promise<void> {
  const { json } = command.stores;
  const print = (value: unknown, text: string) =>
    void io.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text);
  const where = store.path ?? store.backend.description;
  if (command.name === "list") {
    const hosts = await store.hosts();
    if (hosts.length === 0) io.stderr.write(`No login is stored in ${where}.\n`);
    print(hosts, hosts.map((host) => `${host}\n`).join(""));
  } else if (command.name === "clear") {
    const removed = await store.clear();
    print({ removed }, `Removed ${removed} login${removed === 1 ? "" : "s"} from ${where}.\n`);
  } else {
    const removed = await store.remove(command.host);
    print({ removed }, removed ? `Removed ${command.host}.\n` : `No login for ${command.host} was stored.\n`);
  }
}
