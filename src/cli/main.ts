#!/usr/bin/env node
import { run } from "./run.js";

const interrupt = new AbortController();

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    // The second time it is meant: nothing is waited for.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
}

// A reader that has seen enough (`| head -1`) is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
});
