// Runs a main process as Electron does, with the stand-in for its module.
import { register } from "node:module";
import { pathToFileURL } from "node:url";

const standIn = new URL("electron.mjs", import.meta.url).href;
const hook = `export const resolve = (name, context, next) =>
  name === "electron" ? { url: ${JSON.stringify(standIn)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
await import(pathToFileURL(process.argv[2]).href);
(await import(standIn)).becomeReady();
