// Makes what is loaded at once fewer files, after the compiler: starting up is mostly the finding of files.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { LINE_LIMIT } from "./program-bundle.mjs";

const root = resolve(import.meta.dirname, "..");
const dist = resolve(root, "dist");

/** What is reached by import() stays where it is: only what is needed at once goes into a bundle. */
const lazyStaysOutside = (outfile, from) => ({
  name: "lazy-stays-outside",
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const built = resolve(dist, relative(from, resolve(resolveDir, path)));
      return { path: `./${relative(dirname(outfile), built)}`, external: true };
    });
  },
});

/** Node's own modules, without the wrapper that an import of them makes: half of what starting the library costs. */
const plainBuiltins = {
  name: "plain-builtins",
  setup(bundle) {
    bundle.onResolve({ filter: /^node:(fs|os|path)$/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? undefined : { path, namespace: "builtin" },
    );
    bundle.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
  lineLimit: LINE_LIMIT,
};

await bundleProgram();
await bundleLibrary();

/** `oidc-auth token HOST` with a good token: one CommonJS file, which Node starts quickest. */
async function bundleProgram() {
  const outfile = resolve(dist, "cli/oidc-auth.cjs");
  await build({
    ...common,
    entryPoints: [resolve(root, "src/cli/fast.ts")],
    outfile,
    format: "cjs",
    minify: true,
    banner: { js: "#!/usr/bin/env node" },
    plugins: [lazyStaysOutside(outfile, resolve(root, "src"))],
  });
  await chmod(outfile, 0o755);
}

/**
 * All modules that `import "oidc-auth-client"` loads become one, `core.js`. Each of them stays as a file that exports the
 * very same things from there, so that there is one AuthError, one Token, whoever imports them by whatever way.
 */
async function bundleLibrary() {
  const outfile = resolve(dist, "core.js");
  const modules = await staticClosure(resolve(dist, "index.js"));
  const names = new Map();
  for (const file of modules) names.set(file, Object.keys(await import(pathToFileURL(file).href)));
  const alias = (file, name) =>
    `${relative(dist, file).replace(/\.js$/, "").replaceAll(/\W/g, "_")}__${name}`;
  const list = (file, turn) => names.get(file).map(turn).join(", ");
  const entry = modules
    .filter((file) => names.get(file).length > 0)
    .map(
      (file) =>
        `export { ${list(file, (name) => `${name} as ${alias(file, name)}`)} } from "./${relative(dist, file)}";`,
    );
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: entry.join("\n"), resolveDir: dist },
    write: false,
    // Not shorter names: they stand in stack traces and inspections. To keep them beside short ones, each definition would
    // become a call, and a bundler that meets a call cannot leave out what an application does not use.
    minifySyntax: true,
    minifyWhitespace: true,
    outfile,
    format: "esm",
    plugins: [lazyStaysOutside(outfile, dist), plainBuiltins],
  });
  await writeFile(outfile, withClassNames(outputFiles[0].text));
  for (const file of modules) {
    const core = relative(dirname(file), outfile);
    const from = core.startsWith(".") ? core : `./${core}`;
    await writeFile(
      file,
      `export { ${list(file, (name) => `${alias(file, name)} as ${name}`)} } from "${from}";\n`,
    );
  }
}

/** A class that names itself, `class X { … X … }`, is bundled as `X = class _X { … _X … }`, and would be printed so. */
function withClassNames(code) {
  const renamed = [...code.matchAll(/\b(\w+)=\s*class\s+(_\1)\b/g)];
  return renamed.reduce(
    (text, [, name, own]) => text.replaceAll(new RegExp(`\\b${own}\\b`, "g"), name),
    code,
  );
}

/** A built module and all that it imports at once. */
async function staticClosure(first) {
  const found = new Set();
  const queue = [first];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+)";/gms))
      queue.push(resolve(dirname(file), path));
  }
  return [...found].sort();
}
