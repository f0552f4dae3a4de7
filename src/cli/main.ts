#!/usr/bin/env node
import { AuthError } from "../errors.js";
import { run } from "./run.js";

/** Shells report a program that a signal ended as 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const interrupt = new AbortController();
let interrupted: number | undefined;

const handlers = new Map<string, () => void>();
for (const [name, status] of Object.entries(SIGNALS)) {
  handlers.set(name, () => {
    // The second time it is meant: nothing is waited for.
    if (interrupted !== undefined) process.exit(status);
    interrupted = status;
    interrupt.abort(new AuthError("login_cancelled", `Ended by ${name}.`));
  });
}
for (const [name, handler] of handlers) process.on(name, handler);

// A reader that has seen enough (`| head -1`) is no fault, nor is a terminal that was closed: what was begun is ended. So it
// is where messages cannot be written: a log on a full disk is no reason to lose a refresh.
process.stderr.on("error", () => {});
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE" || (code === "EIO" && process.stdout.isTTY)) return;
  // A full disk behind `> FILE`, most likely: no fault of ours, and what stands there is not whole.
  process.stderr.write(`oidc-auth: The result cannot be written to standard output (${code}).\n`);
  process.exitCode = 1;
});

// No await here: a single executable is CommonJS, which has none at its top.
void run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
  stdin: process.stdin,
  handOverSignals: () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  },
}).then((status) => {
  if (status !== 0) process.exitCode = interrupted ?? status;
});
