// The program with all that it needs, in one piece.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { build } from "esbuild";

export const root = resolve(import.meta.dirname, "..");

/** Characters: of what nobody catches Node prints the line that threw it, which must not be all of the code. */
export const LINE_LIMIT = 240;

export async function programBundle(options) {
  const { version, peerDependencies } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));
  await build({
    entryPoints: [resolve(root, "dist/cli/main.js")],
    bundle: true,
    minify: true,
    lineLimit: LINE_LIMIT,
    platform: "node",
    target: "node20",
    // Stores that the program itself does not use.
    external: Object.keys(peerDependencies),
    define: { OIDC_AUTH_VERSION: JSON.stringify(version), ...options.define },
    logLevel: "error",
    ...Object.fromEntries(Object.entries(options).filter(([name]) => name !== "define")),
  });
}
