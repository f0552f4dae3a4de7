import { defineConfig } from "vitest/config";

// CI reads the counts from a report beside the one for people.
const report = process.env["VITEST_JSON"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A focused test left behind would silently skip all others.
    allowOnly: false,
    reporters: report ? ["default", "json"] : ["default"],
    ...(report && { outputFile: { json: report } }),
  },
});
