// Measures what the package weighs: a table beside its budget on standard error, the figures as JSON on standard output.
// With --write the budget becomes what was measured, and a little more.
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const budgetFile = resolve(root, "test/package/budget.json");
const ROOM = 1.05;

/** What an application may import by itself: the sizes tell whether a bundler leaves out the rest. */
const IMPORTS = ["Token", "isAuthError", "memoryBackend", "fromFile", "Config", "TokenStore", "authenticate"];

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const sizes = await measure();
if (values.write) {
  const budget = JSON.stringify(
    sizes,
    (_key, value) => (typeof value === "number" ? withRoom(value) : value),
    2,
  );
  await writeFile(budgetFile, `${budget}\n`);
}
console.error(table(JSON.parse(await readFile(budgetFile, "utf8"))));
console.log(JSON.stringify(sizes));

async function measure() {
  const { exports, bin } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));
  const entries = Object.entries(exports).filter(([, target]) => target.default !== undefined);
  return {
    // What an application that imports all of an entry has in its bundle at once.
    entries: await sized(entries.map(([name, target]) => [name, code(`export * from "${target.default}";`)])),
    // What a program loads before it knows what it has to do.
    programs: await sized(Object.entries(bin).map(([name, file]) => [name, { entryPoints: [file] }])),
    imports: await sized([
      ["nothing", code(`import "${exports["."].default}";`)],
      ...IMPORTS.map((name) => [name, code(`export { ${name} } from "${exports["."].default}";`)]),
    ]),
    package: { tarball: packed() },
  };
}

function code(contents) {
  return { stdin: { contents, resolveDir: root } };
}

async function sized(list) {
  return Object.fromEntries(
    await Promise.all(list.map(async ([name, entry]) => [name, await sizeOf(entry)])),
  );
}

/** Minified, without packages of others and without what import() reaches later. */
async function sizeOf(entry) {
  const { outputFiles } = await build({
    ...entry,
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    logLevel: "error",
    plugins: [
      {
        name: "later-stays-outside",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\./ }, ({ kind, path }) =>
            kind === "dynamic-import" ? { path, external: true } : undefined,
          ),
      },
    ],
  });
  const [{ contents: bundle }] = outputFiles;
  return { minified: bundle.length, gzip: bundle.length && gzipSync(bundle, { level: 9 }).length };
}

function packed() {
  const answer = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    stdio: "pipe",
  });
  const [{ size, unpackedSize, entryCount }] = JSON.parse(answer);
  return { packed: size, unpacked: unpackedSize, files: entryCount };
}

/** To two digits more than what matters. */
function withRoom(figure) {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(figure)) - 2);
  return Math.ceil((figure * ROOM) / step) * step;
}

function table(budget) {
  const rows = Object.entries(sizes).flatMap(([group, members]) =>
    Object.entries(members).map(([name, figures]) => {
      const columns = Object.entries(figures).map(([kind, figure]) => {
        const limit = budget[group]?.[name]?.[kind] ?? "?";
        return `${String(figure).padStart(7)} of ${String(limit).padStart(7)} ${kind}`;
      });
      return `${group.padEnd(8)} ${name.padEnd(27)} ${columns.join("  ")}`;
    }),
  );
  return rows.join("\n");
}
