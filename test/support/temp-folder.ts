import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is removed when the test has finished. */
export function tempFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "oidc-auth-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
