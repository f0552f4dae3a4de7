// Bundles the program's fast path into one CommonJS file: `oidc-auth token HOST` with a good token loads nothing else.
import { chmod } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const outfile = resolve(root, "dist/cli/oidc-auth.cjs");

/** What is reached by import() stays where it is: only what the fast path needs at once goes into the bundle. */
const lazyStaysOutside = {
  name: "lazy-stays-outside",
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const built = resolve(root, "dist", relative(resolve(root, "src"), resolve(resolveDir, path)));
      return { path: `./${relative(dirname(outfile), built)}`, external: true };
    });
  },
};

await build({
  entryPoints: [resolve(root, "src/cli/fast.ts")],
  outfile,
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  banner: { js: "#!/usr/bin/env node" },
  plugins: [lazyStaysOutside],
  logLevel: "warning",
});
await chmod(outfile, 0o755);
