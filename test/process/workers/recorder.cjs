// Loaded into every Node process of a run: writes down what others on this machine can see of it, and of those it came from.
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const folder = process.env.TAINT_RECORD;

function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}

function look(pid) {
  const parent = Number(/^PPid:\s*(\d+)/m.exec(read(pid, "status"))?.[1] ?? 0);
  const words = read(pid, "cmdline").split("\0").slice(0, -1);
  const env = read(pid, "environ").split("\0").filter(Boolean);
  return { pid, parent, words, env };
}

function ancestry() {
  const line = [];
  for (let pid = process.pid; pid > 1 && pid !== Number(process.env.TAINT_TOP); ) {
    const one = look(pid);
    line.push(one);
    pid = one.parent;
  }
  return line;
}

if (folder) {
  const line = ancestry();
  // Whole at every moment: whoever looks need not wait for the end.
  const write = () => {
    const path = join(folder, `${process.pid}.json`);
    writeFileSync(`${path}.new`, JSON.stringify({ line, title: process.title, argv: process.argv }));
    renameSync(`${path}.new`, path);
  };
  write();
  process.on("exit", write);
}
