// Imports what its argument names, and writes to file descriptor 3 what that changed in this process, as JSON.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { pathToFileURL } from "node:url";

const root = new URL("../../../", import.meta.url).href;
const write = fs.writeSync;

/** Calls of file functions for anything but our own code, that of packages, and what describes them. */
const touched = [];
for (const api of [fs, fs.promises]) {
  for (const [name, original] of Object.entries(api)) {
    if (typeof original !== "function" || /^[A-Z_]/.test(name)) continue;
    api[name] = function (...args) {
      const [target] = args;
      if (typeof target !== "number" && !isCode(target)) touched.push(`${name} ${target}`);
      return original.apply(this, args);
    };
  }
}
syncBuiltinESMExports();

function isCode(target) {
  const { href } =
    target instanceof URL || /^file:/.test(target) ? new URL(target) : pathToFileURL(String(target));
  return href.startsWith(root) && /\.(js|mjs|cjs|json)$/.test(href);
}

const state = () => ({
  globals: Reflect.ownKeys(globalThis).map(String),
  listeners: process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`),
  resources: process.getActiveResourcesInfo(),
  environment: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  prototypes: [Object, Array, Function, Promise, Error, String].flatMap(({ name, prototype }) =>
    Reflect.ownKeys(prototype).map((key) => `${name}.${String(key)}`),
  ),
  process: [process.title, process.umask(), process.cwd(), process.exitCode, Error.stackTraceLimit].map(
    String,
  ),
});

// Node opens these when first asked for them, as its own node:assert does.
void [process.stdout, process.stderr];
const before = state();
const exported = await import(process.argv[2]);
const after = state();
const changes = Object.keys(before).flatMap((kind) => [
  ...after[kind].filter((one) => !before[kind].includes(one)).map((one) => `new in ${kind}: ${one}`),
  ...before[kind].filter((one) => !after[kind].includes(one)).map((one) => `gone from ${kind}: ${one}`),
]);
const names = Object.entries(exported).map(([name, value]) => [
  name,
  typeof value === "function" ? value.name : name,
]);
write(3, JSON.stringify({ changes: [...changes, ...touched], names }));
