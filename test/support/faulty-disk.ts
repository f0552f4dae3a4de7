import fs from "node:fs";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { sep } from "node:path";

/** How a call fails. */
export interface Fault {
  /** The number of the call, from 0. */
  readonly call: number;
  readonly code: string;
  /**
   * `once`: this call alone, and nothing is done. `lost`: it is done, and only the answer says otherwise, as with a
   * file server. `always`: this call, and all of that name from then on. `gone`: all calls from then on.
   */
  readonly way: "once" | "lost" | "always" | "gone";
}

const SYNC = [
  "openSync",
  "fstatSync",
  "readSync",
  "closeSync",
  "statSync",
  "lstatSync",
  "chmodSync",
] as const;
const ASYNC = [
  ...["open", "mkdir", "realpath", "readlink", "rename", "stat", "lstat", "unlink", "link"],
  ...["writeFile", "readdir", "lchown"],
] as const;
const HANDLE = [
  "stat",
  "read",
  "readFile",
  "write",
  "writeFile",
  "truncate",
  "sync",
  "utimes",
  "chown",
] as const;

/** A call that waits until it is let go. */
export interface HeldCall {
  readonly arrived: Promise<void>;
  release(): void;
}

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, Call>;

/** A folder whose file system fails when it is told to. What is outside of it, and all other folders, work as ever. */
export class FaultyDisk {
  /** A file that no other can be renamed over, as it is mounted by itself. */
  mounted: string | undefined;
  /** The names of the calls so far. */
  readonly calls: string[] = [];
  readonly #folder: string;
  readonly #undo: (() => void)[] = [];
  readonly #ours = new Set<unknown>();
  #held: { readonly name: string; readonly arrive: () => Promise<void> } | undefined;
  #fault: Fault | undefined;
  #failing: string | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async over(folder: string): Promise<FaultyDisk> {
    const disk = new FaultyDisk(folder);
    const probe: FileHandle = await promises.open(folder, "r");
    const methods = Object.getPrototypeOf(probe) as object;
    await probe.close();
    disk.#wrap(fs, SYNC);
    disk.#wrap(promises, ASYNC);
    disk.#wrap(methods, HANDLE);
    syncBuiltinESMExports();
    return disk;
  }

  /** From now on calls are counted, and one of them fails. */
  start(fault?: Fault): void {
    this.calls.length = 0;
    this.#fault = fault;
    this.#failing = undefined;
  }

  /** Lets the next call of that name wait, so that a test acts exactly meanwhile. */
  hold(name: (typeof ASYNC | typeof HANDLE)[number]): HeldCall {
    let [arrived, release] = [() => {}, () => {}];
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const arrive = () => {
      arrived();
      return released;
    };
    this.#held = { name, arrive };
    return { arrived: isThere, release: () => release() };
  }

  /** Nothing fails any more. */
  heal(): void {
    this.#fault = undefined;
  }

  remove(): void {
    for (const undo of this.#undo.splice(0)) undo();
    syncBuiltinESMExports();
  }

  #wrap(owner: object, names: readonly string[]): void {
    const calls = owner as Calls;
    for (const name of names) {
      const real = calls[name];
      if (!real) throw new Error(`There is no ${name}.`);
      const disk = this;
      calls[name] = function wrapped(this: unknown, ...args: unknown[]) {
        if (!disk.#isOurs(this, args[0])) return real.apply(this, args);
        const busy = name === "rename" && args[1] === disk.mounted;
        return disk.#call(
          name,
          busy ? () => Promise.reject(failure("EBUSY", name)) : () => real.apply(this, args),
        );
      };
      this.#undo.push(() => {
        calls[name] = real;
      });
    }
  }

  #isOurs(self: unknown, subject: unknown): boolean {
    if (typeof subject === "string" && `${subject}${sep}`.startsWith(`${this.#folder}${sep}`)) return true;
    return this.#ours.has(self) || (typeof subject === "number" && this.#ours.has(subject));
  }

  #call(name: string, real: () => unknown): unknown {
    const number = this.calls.push(name) - 1;
    if (this.#held?.name === name) {
      const { arrive } = this.#held;
      this.#held = undefined;
      return arrive().then(real);
    }
    const fault = this.#fault;
    if (!fault || !this.#isDue(fault, name, number)) return this.#remember(name, real());
    const error = failure(fault.code, name);
    // A file that could not be closed is closed all the same.
    const done = fault.way === "lost" || name.startsWith("close");
    if (name.endsWith("Sync")) {
      const result = done ? real() : undefined;
      if (name === "openSync" && done) fs.closeSync(result as number);
      throw error;
    }
    return (done ? (real() as Promise<unknown>) : Promise.resolve()).then(async (result) => {
      // Nobody else could.
      if (name === "open" && done) await (result as FileHandle).close();
      throw error;
    });
  }

  #isDue(fault: Fault, name: string, number: number): boolean {
    if (number === fault.call) this.#failing = name;
    if (fault.way === "gone") return number >= fault.call;
    if (fault.way === "always") return number >= fault.call && name === this.#failing;
    return number === fault.call;
  }

  #remember(name: string, result: unknown): unknown {
    if (name === "openSync") this.#ours.add(result);
    if (name !== "open") return result;
    return (result as Promise<FileHandle>).then((handle) => {
      this.#ours.add(handle);
      // Its own, where the others are its kind's.
      const close = handle.close.bind(handle);
      handle.close = () => this.#call("close", close) as Promise<void>;
      return handle;
    });
  }
}

function failure(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall });
}
