// Makes the whole program one file, `oidc-auth.mjs`, which needs nothing but Node: to be copied to where no npm is.
import { chmod } from "node:fs/promises";
import { resolve } from "node:path";
import { programBundle, root } from "./program-bundle.mjs";

const outfile = resolve(root, process.argv[2] ?? "oidc-auth.mjs");
await programBundle({
  outfile,
  format: "esm",
  // What some packages still ask for with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
await chmod(outfile, 0o755);
console.log(outfile);
