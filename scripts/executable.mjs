// Makes the program a single executable with Node inside (https://nodejs.org/api/single-executable-applications.html).
import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { programBundle, root } from "./program-bundle.mjs";

const { inject } = createRequire(import.meta.url)("postject");
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const outfile = resolve(
  root,
  process.argv[2] ?? (process.platform === "win32" ? "oidc-auth.exe" : "oidc-auth"),
);
const folder = await mkdtemp(join(tmpdir(), "oidc-auth-executable-"));
try {
  const [main, blob, config] = ["main.cjs", "blob", "config.json"].map((name) => join(folder, name));
  await programBundle({
    outfile: main,
    format: "cjs",
    define: { "import.meta.url": "__fileUrl" },
    banner: { js: 'const __fileUrl = require("node:url").pathToFileURL(process.execPath).href;' },
  });
  await writeFile(config, JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }));
  execFileSync(process.execPath, ["--experimental-sea-config", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await copyFile(process.execPath, outfile);
  await chmod(outfile, 0o755);
  await inject(outfile, "NODE_SEA_BLOB", await readFile(blob), { sentinelFuse: FUSE });
  console.log(outfile);
} finally {
  await rm(folder, { recursive: true, force: true });
}
