import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { EXAMPLES } from "../support/examples.js";
import { ended, logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";

const FOLDER = join(EXAMPLES, "slurm-array");

/** A home that all tasks share, and `srun`, which runs the task on this machine. */
function cluster(): { home: string; path: string } {
  const home = tempFolder();
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin/srun"), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  return { home, path: `${join(home, "bin")}:${process.env["PATH"]}` };
}

async function runTask(number: number, env: Record<string, string>): Promise<string> {
  const child = spawn("bash", ["array.sbatch"], {
    cwd: FOLDER,
    env: { ...env, SLURM_JOB_ID: String(1000 + number), SLURM_ARRAY_TASK_ID: String(number) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return `${code} ${out}${err}`.trim();
}

it("32 tasks that start at once with a token that has ended make one refresh", {
  timeout: 90_000,
}, async () => {
  const server = await startAuthServer({ tokenLatency: 50 });
  onTestFinished(() => server.close());
  const { home, path } = cluster();
  const store = new TokenStore({ env: { XDG_CACHE_HOME: home } });
  await store.put(server.host, ended(await logIn(server.host, store)));
  server.resetCounts();

  // As many as the script asks Slurm for.
  const [, last = ""] = /--array=0-(\d+)/.exec(readFileSync(join(FOLDER, "array.sbatch"), "utf8")) ?? [];
  const tasks = Array.from({ length: Number(last) + 1 }, (_, number) => number);
  expect(tasks).toHaveLength(32);
  const env = { PATH: path, HOME: home, XDG_CACHE_HOME: home, AUTH_HOST: server.host };
  const outcomes = await Promise.all(tasks.map((number) => runTask(number, env)));
  expect(outcomes).toEqual(tasks.map((number) => `0 Task ${number} works for alice.`));
  expect(server.counts).toEqual({ token: 1, "token:refresh": 1, refreshes: 1, me: 32 });
});

it("a task without a login asks nobody, and says what to do", async () => {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const { home, path } = cluster();
  const outcome = await runTask(7, { PATH: path, HOME: home, XDG_CACHE_HOME: home, AUTH_HOST: server.host });
  expect(outcome).toMatch(/^3 Task 7: [\s\S]*SLURM_JOB_ID[\s\S]*do one of these:/);
  expect(server.requests).toEqual([]);
});
