import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

/** A program that catches nothing: what Node prints of an error must be the error, not the code around it. */

const LIBRARY = join(import.meta.dirname, "../../dist/index.js");
const HOST = "https://auth.example.org";

it.each([
  ["as soon as it is called", '"http://auth.example.org"', "insecure_host", "host is"],
  [
    "after it has looked for a login",
    `"${HOST}", { interactive: false }`,
    "interaction_required",
    "A login at",
  ],
])("an error %s is read at once: short, with its message and what to do", async (_when, call, code, said) => {
  const home = tempFolder();
  const program = join(home, "program.mjs");
  const text = `import { authenticate } from ${JSON.stringify(LIBRARY)};\nawait authenticate(${call});\n`;
  writeFileSync(program, text);
  const ended = await run([process.execPath, program], { HOME: home, XDG_CACHE_HOME: home });
  const printed = ended.stderr.toString();
  expect(ended.code).toBe(1);
  expect(printed).toContain(`AuthError: ${said}`);
  expect(printed).toContain(`code: '${code}'`);
  expect(printed).toContain("hint: ");
  expect(printed.length).toBeLessThan(3000);
  // The place in the code comes before the message: it must not push it off the screen.
  expect(printed.indexOf("AuthError: ")).toBeLessThan(1000);
});
