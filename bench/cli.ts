import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** What `oidc-auth token HOST` costs with a good stored token, and what the library's import costs. Ratios of one run. */

const PAIRS = Number(process.env["PAIRS"] ?? 60);
const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "oidc-auth-bench-"));
const path = join(folder, "store.json");
const HOST = "https://auth.example.org";

writeFileSync(
  path,
  JSON.stringify({
    [HOST]: {
      token: {
        access_token: "a".repeat(800),
        token_type: "Bearer",
        expires: 9e9,
        refresh_token: "r",
        refresh_expires: 9e9,
        scope: "",
      },
      stored_at: Date.now() / 1000,
    },
  }),
  { mode: 0o600 },
);

function once(args: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  const begin = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
  return ms;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Runs two programs by turns, so that what else happens on the machine meets both. */
function pairs(base: () => number, other: () => number): { base: number; other: number } {
  const times = { base: [] as number[], other: [] as number[] };
  for (let warmUp = 0; warmUp < 3; warmUp++) [base(), other()];
  for (let pair = 0; pair < PAIRS; pair++) {
    // Who comes first changes, too.
    if (pair % 2 === 0) times.base.push(base());
    times.other.push(other());
    if (pair % 2 === 1) times.base.push(base());
  }
  return { base: median(times.base), other: median(times.other) };
}

const show = (ms: number) => `${ms.toFixed(1)} ms`;

try {
  const cli = join(root, "dist/cli/oidc-auth.cjs");
  const token = pairs(
    () => once(["-e", "0"]),
    () => once([cli, "token", HOST], { OIDC_TOKEN_FILE: path }),
  );
  console.log(
    `oidc-auth token HOST    ${show(token.other)}, node -e 0 ${show(token.base)}: ratio ${(token.other / token.base).toFixed(3)} (goal: at most 1.15)`,
  );
  const full = pairs(
    () => once(["-e", "0"]),
    () => once([join(root, "dist/cli/main.js"), "token", HOST], { OIDC_TOKEN_FILE: path }),
  );
  console.log(`without the fast path   ${show(full.other)}: ratio ${(full.other / full.base).toFixed(3)}`);
  const empty = join(folder, "empty.mjs");
  const entry = join(folder, "entry.mjs");
  writeFileSync(empty, "");
  writeFileSync(entry, `import ${JSON.stringify(pathToFileURL(join(root, "dist/index.js")).href)};\n`);
  const library = pairs(
    () => once([empty]),
    () => once([entry]),
  );
  console.log(
    `import of the library   ${show(library.other - library.base)} above an empty module (goal: at most 5 ms)`,
  );
  const python = spawnSync("python3", ["-c", "import py_oidc_auth_client"], { stdio: "ignore" });
  if (python.status === 0) {
    const times = Array.from({ length: 10 }, () => {
      const begin = process.hrtime.bigint();
      spawnSync("python3", ["-m", "py_oidc_auth_client", HOST, "--json"], {
        stdio: "ignore",
        env: { ...process.env, OIDC_TOKEN_FILE: path },
      });
      return Number(process.hrtime.bigint() - begin) / 1e6;
    });
    console.log(`the Python client       ${show(median(times))}`);
  } else console.log("the Python client       is not installed here");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
