import { readFile } from "node:fs/promises";

/** Put in by the bundler where the program is one file, and has no package around it. */
declare const OIDC_AUTH_VERSION: string | undefined;

/** The version of the package that this file belongs to. */
export async function readVersion(): Promise<string> {
  if (typeof OIDC_AUTH_VERSION === "string") return OIDC_AUTH_VERSION;
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
