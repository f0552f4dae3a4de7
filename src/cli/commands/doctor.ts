import { type Command, isOn, JSON_OPTION } from "../command.js";
import { checkMachine, checkServer, checkStore, type Finding } from "../doctor/checks.js";
import { print } from "../io.js";
import { openStore, type Resolved, resolveTarget, TARGET_OPTIONS } from "../target.js";

const MARKS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const;

export const command: Command = {
  usage: "doctor [HOST] [options]",
  about:
    "Finds out what keeps a login from working: the store, the clock, the way to the server, what it offers, the ports and the browser here. Each line is ok, warn or FAIL, with the remedy. It ends with 1 where something fails.",
  words: [0, 1],
  options: { ...JSON_OPTION, ...TARGET_OPTIONS },
  examples: ["oidc-auth doctor", "oidc-auth doctor https://auth.example.org", "oidc-auth doctor prod --json"],
  async run(input, io) {
    const name = input.positionals[0];
    const resolved: Resolved | undefined =
      name === undefined ? undefined : await resolveTarget(name, input, io);
    const store = resolved?.store ?? openStore(input, io);
    const findings: Finding[] = [
      ...(await checkStore(store)),
      ...(resolved ? await checkServer(resolved) : []),
      ...(await checkMachine(io.env, resolved)),
    ];
    const lines = findings.flatMap(({ state, what, remedy }) => [
      `${MARKS[state]}  ${what}`,
      ...(remedy ? [`      ${remedy}`] : []),
    ]);
    print(io, isOn(input, "json"), findings, `${lines.join("\n")}\n`);
    return findings.some(({ state }) => state === "fail") ? 1 : 0;
  },
};
