// The closing line of a CI run, from vitest's own report. A step that failed before the tests counts as a failure.
import { readFileSync } from "node:fs";

const [report, status] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  for (const { status: file, assertionResults } of testResults) {
    for (const { status: test } of assertionResults) {
      if (test === "passed") passed++;
      else if (test === "failed") failed++;
      else skipped++;
    }
    if (file === "failed" && assertionResults.length === 0) failed++;
  }
} catch {
  console.log("The tests were not reached, or left no report.");
}
if (status !== "0" && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
