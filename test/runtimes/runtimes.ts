import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A runtime that the tests run on. */
export interface Runtime {
  /** As it is named on the command line: `node-22`, `bun`. */
  readonly name: string;
  /** The program. */
  readonly program: string;
  /** What runs a script in it: the words before the script's path. */
  readonly words: readonly string[];
}

/** A test that cannot run on a runtime, and why. */
export interface Exception {
  /** Below test/, such as `integration/loopback.test.ts`. */
  readonly file: string;
  /** Its title with those of the blocks around it, as vitest prints it: `outer > inner > title`. */
  readonly test: string;
  readonly why: string;
  /** Whether it would run into its time-out: then it is left out, rather than expected to fail. */
  readonly hangs?: boolean;
}

/** By the runtime's name. */
export type Exceptions = Readonly<Record<string, readonly Exception[]>>;

const FOLDER = import.meta.dirname;
const NODES = ["node-20", "node-22", "node-24", "node-26"];
const { platform, arch } = process;

export const EXCEPTIONS = JSON.parse(readFileSync(join(FOLDER, "exceptions.json"), "utf8")) as Exceptions;

/** All runtimes, in the order in which they are run. @throws where they are not installed */
export function runtimes(): Runtime[] {
  const nodes = NODES.map((name) => {
    const program = installed(`${name}-${platform}-${arch}/bin/node`);
    return { name, program, words: [program] };
  });
  const bun = installed(`@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}/bin/bun`);
  const libc = platform === "linux" ? "-glibc" : "";
  const deno = installed(`@deno/${platform}-${arch}${libc}/deno`);
  return [
    ...nodes,
    // Without --bun it hands scripts with Node's first line on to Node.
    { name: "bun", program: bun, words: [bun, "--bun"] },
    { name: "deno", program: deno, words: [deno, "run", "--allow-all"] },
  ];
}

function installed(path: string): string {
  const found = join(FOLDER, "pinned/node_modules", path);
  if (existsSync(found)) return found;
  throw new Error(
    `${found} is missing. Install the runtimes first: npm install --prefix test/runtimes/pinned --no-save --ignore-scripts`,
  );
}
