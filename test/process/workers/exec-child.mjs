// What a program that `oidc-auth exec` runs finds.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const { OIDC_ACCESS_TOKEN: token, OIDC_ACCESS_TOKEN_FILE: path, TAINT_CHILD: report } = process.env;
const mode = (one) => (statSync(one).mode & 0o777).toString(8);
writeFileSync(
  report,
  JSON.stringify({
    same: readFileSync(path, "utf8") === token,
    modes: [mode(path), mode(dirname(path))],
    beside: readdirSync(dirname(path)).filter((name) => join(dirname(path), name) !== path),
    env: process.env,
  }),
);
