import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesIn, importsOf, ROOT } from "./imports.js";

const folders = readdirSync(join(ROOT, "examples"), { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => name);
const page = readFileSync(join(ROOT, "examples/README.md"), "utf8");

it("every example is told of on their page, and run by a test", () => {
  expect(folders.length).toBeGreaterThanOrEqual(8);
  const tests = filesIn("test/examples", /\.test\.ts$/).map((file) => readFileSync(join(ROOT, file), "utf8"));
  const untold = folders.filter((name) => !page.includes(`](${name}/`));
  const untried = folders.filter((name) => !tests.some((text) => text.includes(name)));
  expect({ untold, untried }).toEqual({ untold: [], untried: [] });
  const clients = filesIn("examples/http-clients", /\.ts$/).filter((file) => !page.includes(file.slice(9)));
  expect(clients).toEqual(["examples/http-clients/people-service.ts"]);
});

it("examples import the library by its name, as those who copy them do", () => {
  const relative = filesIn("examples", /\.ts$/).flatMap((file) =>
    importsOf(file)
      .map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith("../"))
      .map((specifier) => `${file} imports ${specifier}`),
  );
  expect(relative).toEqual([]);
});
