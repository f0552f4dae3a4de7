import { defineConfig } from "vitest/config";

// CI reads the counts from a report beside the one for people.
const report = process.env["VITEST_JSON"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
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
