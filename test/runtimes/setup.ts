import { beforeEach } from "vitest";
import { EXCEPTIONS } from "./runtimes.js";

/** Loaded before each test file, where the tests run on the runtime that `TEST_RUNTIME` names. */

declare module "vitest" {
  interface TaskMeta {
    /** Why this test cannot run here. */
    exception?: string;
  }
}

const wanted = process.env["TEST_RUNTIME"] ?? "";
const { bun, deno, node } = process.versions;
const here = bun ? "bun" : deno ? "deno" : `node-${node.split(".")[0]}`;
// Programs that start others may end up on another runtime than was asked for, and all would pass.
if (here !== wanted) throw new Error(`These tests run on ${here}, and should on ${wanted}.`);

const exceptions = EXCEPTIONS[here] ?? [];

beforeEach(({ task, skip }) => {
  const exception = exceptions.find(
    ({ file, test }) => task.file.name === `test/${file}` && task.fullTestName === test,
  );
  if (!exception) return;
  task.meta.exception = exception.why;
  if (exception.hangs) skip();
  // An exception that passes is an error: the list is to stay true.
  Object.assign(task, { fails: true });
});
