// The closing line of a CI run, added up from vitest's own reports: `summary.mjs FOLDER [STAGE_THAT_FAILED...]`. Ends
// with 1 where anything failed. A stage that failed without a failed test to show for it counts as a failure.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, ...broken] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const reports = readdirSync(folder).filter((name) => name.endsWith(".json"));
for (const name of reports) {
  const { testResults } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const { status: file, assertionResults } of testResults) {
    for (const { status: test, meta } of assertionResults) {
      if (test === "failed") failed++;
      // What is known not to run on a runtime is no success there.
      else if (test === "passed" && meta?.exception === undefined) passed++;
      else skipped++;
    }
    if (file === "failed" && assertionResults.length === 0) failed++;
  }
}
console.log("");
if (reports.length === 0) console.log("The tests were not reached, or left no report.");
if (broken.length > 0) console.log(`Failed: ${broken.join("; ")}`);
if (broken.length > failed) failed = broken.length;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (failed > 0) process.exitCode = 1;
