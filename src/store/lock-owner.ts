import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a lock. */
export interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** The range in which the process id means something: this boot of this machine, this container. */
  readonly space: string;
}

let self: LockOwner | undefined;

export function thisProcess(): LockOwner {
  self ??= { host: hostname(), pid: process.pid, space: processSpace() };
  return self;
}

/** false where the process certainly is gone, true where it runs, undefined where that cannot be told from here. */
export function isAlive(owner: LockOwner): boolean | undefined {
  const here = thisProcess();
  if (owner.host !== here.host || owner.space !== here.space) return undefined;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Containers may share a host name, and ids start anew with each boot: Linux tells both, elsewhere the host must do. */
function processSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return process.platform;
  }
}
