import { defineConfig } from "vitest/config";

// CI reads the counts from a report beside the one for people.
const report = process.env["VITEST_JSON"];
// `npm run test:runtimes`: on another runtime, or what several of them do together.
const runtime = process.env["TEST_RUNTIME"];
const together = process.env["TEST_TOGETHER"];

export default defineConfig({
  test: {
    include: [together ? "test/runtimes/*.test.ts" : "test/!(runtimes)/**/*.test.ts"],
    setupFiles: runtime ? ["test/runtimes/setup.ts"] : [],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Files one after the other: the login's redirect ports are few and registered, and process tests want both cores.
    fileParallelism: false,
    // A focused test left behind would silently skip all others.
    allowOnly: false,
    reporters: report ? ["default", "json"] : ["default"],
    ...(report && { outputFile: { json: report } }),
  },
});
