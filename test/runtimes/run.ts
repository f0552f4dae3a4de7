import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { EXCEPTIONS, type Runtime, runtimes } from "./runtimes.js";

/**
 * `npm run test:runtimes [-- node-22 bun ...]`: the unit and integration tests on each runtime, then what several
 * runtimes do together. One line for each; reports and logs lie in the folder that `RUNTIME_REPORTS` names.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
/** The tests in which several runtimes meet. */
const TOGETHER = "together";
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly excepted: number;
  /** What is wrong beside failed tests. */
  readonly problems: readonly string[];
}

let running: ChildProcess | undefined;

/** Runs vitest, its output in a log. @returns its exit status */
async function vitest(
  words: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  log: string,
): Promise<number> {
  const out = openSync(log, "w");
  const [program = "", ...rest] = [...words, VITEST, "run", ...args];
  running = spawn(program, rest, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", out, out],
  });
  const [code] = (await once(running, "exit")) as [number | null];
  return code ?? 1;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly meta: { readonly exception?: string };
    }[];
  }[];
}

function judge(report: string, status: number, name: string): Outcome {
  let results: Report["testResults"];
  try {
    results = (JSON.parse(readFileSync(report, "utf8")) as Report).testResults;
  } catch {
    return { passed: 0, failed: 0, excepted: 0, problems: ["there is no report"] };
  }
  const tests = results.flatMap((file) =>
    file.assertionResults.map((test) => ({
      ...test,
      full: `${file.name.replace(/^.*\/test\//, "")}: ${[...test.ancestorTitles, test.title].join(" > ")}`,
    })),
  );
  const excepted = tests.filter((test) => test.meta.exception !== undefined && test.status !== "failed");
  const failed = tests.filter((test) => test.status === "failed").length;
  const met = new Set(tests.filter((test) => test.meta.exception !== undefined).map((test) => test.full));
  const unknown = (EXCEPTIONS[name] ?? []).filter(({ file, test }) => !met.has(`${file}: ${test}`));
  return {
    passed: tests.filter((test) => test.status === "passed" && test.meta.exception === undefined).length,
    failed,
    excepted: excepted.length,
    problems: [
      ...unknown.map(({ file, test }) => `the exception ${file}: ${test} names no test`),
      ...(tests.length === 0 ? ["no test was run"] : []),
      ...(status !== 0 && failed === 0 ? [`vitest ended with ${status}`] : []),
    ],
  };
}

/** The end of a log, from the first failure that it tells of. */
function failures(log: string): string {
  const lines = readFileSync(log, "utf8").split("\n");
  const first = lines.findIndex((line) => /Failed (Tests|Suites)|Unhandled|Startup Error/.test(line));
  return lines.slice(first < 0 ? -50 : first).join("\n");
}

async function main(): Promise<void> {
  const all = runtimes();
  const names = [...all.map(({ name }) => name), TOGETHER];
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no ${unknown.join(", ")}: there are ${names.join(", ")}.`);
  const folder = process.env["RUNTIME_REPORTS"] ?? mkdtempSync(join(tmpdir(), "oidc-auth-runtimes-"));
  say(`Reports and logs: ${folder}`);
  const run = async (name: string, runtime: Runtime | undefined) => {
    const [report, log] = [join(folder, `${name}.json`), join(folder, `${name}.log`)];
    const started = performance.now();
    const status = runtime
      ? await vitest(
          runtime.words,
          ["test/unit", "test/integration"],
          {
            VITEST_JSON: report,
            TEST_RUNTIME: name,
            // What starts `node` by its name gets this one, too.
            PATH: `${dirname(runtime.program)}${delimiter}${process.env["PATH"]}`,
          },
          log,
        )
      : await vitest([process.execPath], [], { VITEST_JSON: report, TEST_TOGETHER: "1" }, log);
    const { passed, failed, excepted, problems } = judge(report, status, name);
    const seconds = Math.round((performance.now() - started) / 1000);
    const counts = `${passed} passed, ${failed} failed, ${excepted} that cannot run here`;
    say(`${name.padEnd(10)} ${counts}, ${seconds} s`);
    for (const problem of problems) say(`  ${problem}`);
    const good = failed === 0 && problems.length === 0;
    if (!good) say(failures(log));
    return good;
  };
  let good = true;
  for (const name of wanted.length > 0 ? wanted : names)
    good =
      (await run(
        name,
        all.find((one) => one.name === name),
      )) && good;
  process.exitCode = good ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    running?.kill(signal);
    process.exitCode = 1;
  });
await main();
