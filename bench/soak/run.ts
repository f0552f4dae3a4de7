import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authenticate, type LoginUi, TokenStore } from "../../src/index.js";
import { approveDevice, startAuthServer } from "../../src/testing/index.js";
import { Chance } from "./chance.js";
import { Fleet, type Login, type Sample } from "./fleet.js";
import { LOGIN_HEADER, startGate } from "./gate.js";
import { type Fault, Ledger } from "./ledger.js";

export interface SoakOptions {
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  /** Seconds that an access token lives. */
  readonly lifetime: number;
  /** Part of the refreshes that meet a fault. */
  readonly faultRate: number;
  readonly faults: readonly Fault[];
  readonly hosts: number;
  /** Logins at each host. */
  readonly accounts: number;
  /** Most milliseconds between two kills. */
  readonly killEveryMs: number;
  readonly sampleEveryMs: number;
  /** Whether so much has happened that it may end; asked when the time is up, as machines differ. Default: it has. */
  readonly enough?: (soFar: Pick<SoakResult, "calls" | "kills" | "ledger">) => boolean;
  /** Ends it early, with what there is so far. */
  readonly signal?: AbortSignal;
}

export interface SoakResult {
  readonly seconds: number;
  readonly calls: number;
  readonly kills: number;
  /** Logins of the person after the first. */
  readonly relogins: number;
  readonly ledger: Ledger;
  readonly samples: readonly (readonly Sample[])[];
  /** What lies beside the store at the end. */
  readonly left: readonly string[];
}

/** Processes whose memory and handles are watched: they are never killed. */
const LASTING = 1 / 5;
/** Processes that run the command rather than the library. */
const COMMANDS = 1 / 10;

/** Keeps processes, kills, contention and faults going for a while, and counts. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const chance = new Chance(options.seed);
  const folder = mkdtempSync(join(tmpdir(), "oidc-auth-soak-"));
  const path = join(folder, "store.json");
  const ledger = new Ledger(options.lifetime * 1000);
  const { faultRate, faults } = options;
  const server = await startAuthServer({
    accessTokenLifetime: options.lifetime,
    deviceInterval: 0.2,
    enforceInterval: false,
    tokenLatency: 20,
  });
  const gates = await Promise.all(
    Array.from({ length: options.hosts }, () =>
      startGate({ upstream: server.host, ledger, chance, faultRate, faults }),
    ),
  );
  const logins = gates.flatMap(({ host }, place) =>
    Array.from({ length: options.accounts }, (_, number): Login => {
      const account = `person-${number + 1}`;
      return { login: `${account} at host ${place + 1}`, host, account };
    }),
  );
  const person = new Person(path, logins, ledger);
  const fleet = new Fleet({
    ...{ path, logins },
    putEveryMs: 5000,
    sampleEveryMs: options.sampleEveryMs,
    onFailure: (failure) => {
      ledger.failed(failure);
      if (ledger.isEnded(failure.login)) void person.logInAgain(failure.login);
    },
    onCrash: (name, code) => ledger.broken.push(`${name} ended by itself, with ${code}`),
  });
  const started = performance.now();
  try {
    for (const { login } of logins) await person.logIn(login);
    const commands = Math.floor(options.processes * COMMANDS);
    const lasting = Math.ceil(options.processes * LASTING);
    for (let n = commands; n < options.processes; n++) fleet.start(n < commands + lasting);
    for (const login of logins.slice(0, commands)) void fleet.command(login);
    const end = started + options.seconds * 1000;
    const goesOn = () =>
      performance.now() < end ||
      options.enough?.({ calls: fleet.calls, kills: fleet.kills, ledger }) === false;
    while (goesOn() && !options.signal?.aborted) {
      await pause(chance.between(options.killEveryMs / 5, options.killEveryMs), options.signal);
      const victim = chance.one(fleet.mortals);
      if (victim === undefined) continue;
      ledger.killed(victim);
      fleet.kill(victim);
    }
    await fleet.stop();
    await person.idle();
    const seconds = (performance.now() - started) / 1000;
    const { calls, kills } = fleet;
    const samples = [...fleet.samples.values()];
    return { seconds, calls, kills, relogins: person.relogins, ledger, samples, left: readdirSync(folder) };
  } finally {
    await fleet.stop();
    await Promise.all(gates.map((gate) => gate.close()));
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Logs in by device code, at first and whenever a fault has ended a login. */
class Person {
  relogins = 0;
  readonly #store: TokenStore;
  readonly #logins: readonly Login[];
  readonly #ledger: Ledger;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(path: string, logins: readonly Login[], ledger: Ledger) {
    this.#store = new TokenStore({ path });
    this.#logins = logins;
    this.#ledger = ledger;
  }

  async logIn(login: string): Promise<void> {
    const found = this.#logins.find((one) => one.login === login);
    if (!found) throw new Error(`There is no ${login}.`);
    const ui: LoginUi = {
      show: (step) => {
        if (step.type === "device") void approveDevice(step.code.uri, { name: found.account });
      },
    };
    const fetch: typeof globalThis.fetch = (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set(LOGIN_HEADER, login);
      return globalThis.fetch(input, { ...init, headers });
    };
    const { host, account } = found;
    const store = this.#store;
    await authenticate(host, { store, account, ui, fetch, interactive: true, force: true, flow: "device" });
  }

  async logInAgain(login: string): Promise<void> {
    if (this.#busy.has(login)) return;
    const work = this.logIn(login)
      .then(() => {
        this.relogins++;
        this.#ledger.renewed(login, Date.now());
      })
      .catch((error: unknown) => {
        this.#ledger.broken.push(`the person could not log in: ${String(error)}`);
      })
      .finally(() => this.#busy.delete(login));
    this.#busy.set(login, work);
    await work;
  }

  /** Waits for the logins under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
