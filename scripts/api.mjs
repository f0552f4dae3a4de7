// Writes the public types of each entry of the package to api/; with --check only tells where they differ.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CompilerState, Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const root = resolve(import.meta.dirname, "..");
const reports = resolve(root, "api");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const temp = await mkdtemp(join(tmpdir(), "oidc-auth-api-"));
try {
  const fresh = await report(temp);
  await mkdir(reports, { recursive: true });
  const stale = (await readdir(reports)).filter((name) => !fresh.includes(name));
  for (const name of [...fresh, ...stale]) await compare(name);
} finally {
  await rm(temp, { recursive: true, force: true });
}
if (process.exitCode)
  console.error("The public types have changed: run `npm run api`, review the difference and commit it.");

/** The reports of all entries, written into a folder. */
async function report(folder) {
  const { exports } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));
  const entries = Object.entries(exports).filter(([, target]) => target.types !== undefined);
  const configs = entries.map(([entry, { types }]) => configOf(entry, resolve(root, types), folder));
  // All entries are read as one program, which takes a sixth of the time.
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
  });
  for (const config of configs)
    Extractor.invoke(config, {
      compilerState,
      messageCallback: (message) => {
        message.handled = message.category !== "Compiler";
      },
    });
  return await readdir(folder);
}

function configOf(entry, mainEntryPointFilePath, reportTempFolder) {
  const none = { default: { logLevel: "none" } };
  return ExtractorConfig.prepare({
    packageJsonFullPath: resolve(root, "package.json"),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath,
      newlineKind: "lf",
      compiler: { tsconfigFilePath: resolve(root, "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: entry === "." ? "index" : entry.slice(2),
        reportFolder: reports,
        reportTempFolder,
        // What an exported type is made of is public, too.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: { extractorMessageReporting: none, tsdocMessageReporting: none },
    },
  });
}

async function compare(name) {
  const [known, fresh] = await Promise.all(
    [reports, temp].map((folder) => readFile(join(folder, name), "utf8").catch(() => undefined)),
  );
  console.log(`${known === fresh ? "unchanged" : "changed  "} api/${name}`);
  if (known === fresh) return;
  const paths = [reports, temp].map((folder) => join(folder, name));
  if (values.check) {
    process.exitCode = 1;
    spawnSync("git", ["diff", "--no-index", ...paths], { stdio: "inherit" });
  } else if (fresh === undefined) await rm(paths[0]);
  else await writeFile(paths[0], fresh);
}
