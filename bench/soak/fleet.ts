import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Failure } from "./ledger.js";

export interface Login {
  readonly login: string;
  readonly host: string;
  readonly account: string;
}

/** What a process holds, after a collection of garbage. */
export interface Sample {
  /** Bytes. */
  readonly heap: number;
  readonly rss: number;
  readonly handles: number;
  /** Open descriptors, where the system tells. */
  readonly files: number;
  /** How many requests it had sent until then. */
  readonly requests: number;
}

interface Message {
  readonly failed?: Failure;
  readonly calls?: number;
  readonly sample?: Sample;
}

export interface FleetOptions {
  readonly path: string;
  readonly logins: readonly Login[];
  /** Milliseconds between two writes of something else to the store by one process. */
  readonly putEveryMs: number;
  readonly sampleEveryMs: number;
  onFailure(failure: Failure): void;
  /** A process ended that was not to. */
  onCrash(name: string, code: number | null): void;
}

const WORKER = join(import.meta.dirname, "worker.mjs");
const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");

/** The processes of the soak: long-lived ones that use the library, and ones that run the command again and again. */
export class Fleet {
  calls = 0;
  kills = 0;
  /** What each of the processes that are never killed held, over time. */
  readonly samples = new Map<string, Sample[]>();
  readonly #options: FleetOptions;
  readonly #children = new Map<string, ChildProcess>();
  readonly #commands = new Set<ChildProcess>();
  #started = 0;
  #stopped = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** The names of all that may be killed. */
  get mortals(): string[] {
    return [...this.#children.keys()].filter((name) => !this.samples.has(name));
  }

  /** @param lasting never killed: shows whether memory or handles grow */
  start(lasting: boolean): void {
    const name = `worker-${++this.#started}`;
    const { path, logins, putEveryMs, sampleEveryMs } = this.#options;
    const settings = JSON.stringify({ name, path, logins, putEveryMs, sampleEveryMs });
    // In a group of its own: a terminal's Ctrl-C is for us, who end it.
    const child = fork(WORKER, [settings], { execArgv: ["--expose-gc"], stdio: "inherit", detached: true });
    this.#children.set(name, child);
    if (lasting) this.samples.set(name, []);
    child.on("message", ({ failed, calls, sample }: Message) => {
      if (this.#stopped) return;
      if (failed) this.#options.onFailure(failed);
      this.calls += calls ?? 0;
      if (sample) this.samples.get(name)?.push(sample);
    });
    child.on("exit", (code) => {
      this.#children.delete(name);
      if (!this.#stopped && !child.killed) this.#options.onCrash(name, code);
    });
  }

  /** Kills one in the middle of whatever it does, and starts another. */
  kill(name: string): void {
    this.kills++;
    this.#children.get(name)?.kill("SIGKILL");
    this.start(false);
  }

  /** Runs `oidc-auth token` over and over until the fleet is stopped. */
  async command({ login, host, account }: Login): Promise<void> {
    while (!this.#stopped) {
      const began = Date.now();
      const args = [CLI, "token", host, "--account", account, "--store", this.#options.path];
      const child = spawn(process.execPath, args, {
        env: {},
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      this.#commands.add(child);
      let message = "";
      child.stderr.setEncoding("utf8").on("data", (text) => {
        message += text;
      });
      child.stdout.resume();
      const [code] = (await once(child, "close")) as [number | null];
      this.#commands.delete(child);
      if (this.#stopped) return;
      if (code === 0) this.calls++;
      else this.#options.onFailure({ login, code: exitCodeName(code), message, began });
      // Starting a program is work for two: the others need the machine, too.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const children = [...this.#children.values(), ...this.#commands];
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ended);
  }
}

/** What the command's exit status means in the library's terms. */
function exitCodeName(code: number | null): string {
  return code === 3 ? "interaction_required" : code === 1 ? "request_failed" : `exit status ${code}`;
}
