import { writeSync } from "node:fs";
import { fastToken } from "./fast-token.js";

// The program's entry, bundled into one file: what shell prompts and kubectl call again and again loads nothing more.
const found = fastToken(process.argv.slice(2), process.env);
if (found === undefined || !written(found)) void import("./main.js");

function written(text: string): boolean {
  try {
    return writeSync(1, text) === Buffer.byteLength(text);
  } catch (error) {
    // A reader that has gone is no fault; a pipe that is full is for the whole program to wait for.
    return (error as NodeJS.ErrnoException).code === "EPIPE";
  }
}
