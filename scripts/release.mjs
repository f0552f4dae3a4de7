// Makes a release: `npm run release`, again after each thing that it asks for. What was done before is not done twice.
// With --dry-run it is a rehearsal, which changes and publishes nothing, and tells what would stop a release.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { moveUnreleased, tells } from "./changelog.mjs";
import { writeSboms } from "./sbom.mjs";
import { smokeTest } from "./smoke-test.mjs";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { "dry-run": { type: "boolean", default: false } } });
const rehearsal = values["dry-run"];
const { name, version, repository } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));
const folder = resolve(root, "release", rehearsal ? "rehearsal" : version);

const say = (text) => console.log(`release: ${text}`);
const run = (program, ...args) =>
  execFileSync(program, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
const show = (program, ...args) =>
  execFileSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });

try {
  say(`${name} ${version}${rehearsal ? ", a rehearsal" : ""}`);
  await prepare();
  const tarball = await pack();
  const { entries, programs, packages } = await smokeTest(tarball);
  say(`installed alone, it brings ${packages.map((path) => path.replace(/^node_modules\//, "")).join(", ")}`);
  say(`${entries.length} entries can be imported, ${programs.length} programs start`);
  const files = [tarball, ...(await writeSboms(folder)).map((file) => join(folder, file))];
  await writeFile(join(folder, "SHA256SUMS"), (await Promise.all(files.map(checksum))).join(""));
  for (const file of [...files, join(folder, "SHA256SUMS")]) say(`made ${relative(root, file)}`);
  publish(tarball);
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}

/** What must be so before anything is made. */
async function prepare() {
  // `npm run release --dry-run` without the two dashes between would have every npm below do nothing, and say it did.
  if (process.env["npm_config_dry_run"]) throw new Error("Write `npm run release -- --dry-run`.");
  if (run("git", "status", "--porcelain")) stop("Commit what has changed, then run this again.");
  await checkChangelog();
  if (!repository?.url)
    stop(
      "Fill in `repository` in package.json: npm proves where a package was built by it (see CONTRIBUTING.md).",
    );
  const tag = `v${version}`;
  if (!run("git", "tag", "--points-at", "HEAD").split("\n").includes(tag))
    stop(
      `Tag this commit, and push the tag: git tag ${tag} && git push origin ${tag}. release.yml goes on from there.`,
    );
}

/** Ends a release; in a rehearsal it is told. */
function stop(why) {
  if (!rehearsal) throw new Error(why);
  say(`a release would stop here: ${why}`);
}

async function checkChangelog() {
  const path = resolve(root, "CHANGELOG.md");
  const changelog = await readFile(path, "utf8");
  if (tells(changelog, version)) return;
  const moved = moveUnreleased(changelog, version, new Date().toISOString().slice(0, 10));
  if (moved === undefined) return stop(`Say in CHANGELOG.md, under "Unreleased", what is new in ${version}.`);
  if (!rehearsal) await writeFile(path, moved);
  stop(
    `What is "Unreleased" in CHANGELOG.md moves under ${version}: read and commit it, then run this again.`,
  );
}

/** The tarball of this commit, which is the one that is tried and published. */
async function pack() {
  const head = run("git", "rev-parse", "HEAD");
  const tarball = join(folder, `${name}-${version}.tgz`);
  const tested = join(folder, "commit");
  if (!rehearsal && existsSync(tarball) && (await readFile(tested, "utf8").catch(() => "")) === head) {
    say("tested and packed before");
    return tarball;
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (rehearsal) say("a release would look for known weaknesses here, and run all tests");
  else {
    show("npm", "audit", "--omit", "dev");
    show("npm", "test");
  }
  run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder);
  if (!rehearsal) await writeFile(tested, head);
  return tarball;
}

async function checksum(file) {
  const sum = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  return `${sum}  ${relative(folder, file)}\n`;
}

function publish(tarball) {
  // A rehearsal does not ask whether this version was published before: until the next one it was.
  if (rehearsal) show("npm", "publish", tarball, "--dry-run", "--offline");
  else if (published()) say("published before");
  else show("npm", "publish", tarball);
  say(rehearsal ? "rehearsed" : `${name} ${version} is published`);
}

function published() {
  const { stdout } = spawnSync("npm", ["view", `${name}@${version}`, "version"], { encoding: "utf8" });
  return stdout.trim() === version;
}
