// Loaded into every program that a block of our pages starts. It makes the world that the pages talk of: their hosts
// are servers on this machine, files that only a pod or a server has are there, and somebody reads what is printed
// and logs in. The blocks themselves know nothing of it.
import dns from "node:dns";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

/** @type {{ https: number, places: Record<string, number>, files: Record<string, string> }} */
const stage = JSON.parse(process.env["DOCS_STAGE"] ?? "");

/** Programs that look a host up first get an address of this machine that stands for it. */
const addresses = new Map();
function lookUp(host) {
  const known = [...addresses].find(([, name]) => name === host)?.[0];
  const address = known ?? `127.77.0.${addresses.size + 1}`;
  addresses.set(address, host);
  return { address, family: 4 };
}
const isHere = (host) => /^(localhost|127\..*|::1|\[::1\])$/.test(host);

/** Where a connection really goes: nothing that a page names is reached in the outside world. */
function place(named, port) {
  const host = addresses.get(named) ?? named;
  if (isHere(host)) return [host, port];
  const known = stage.places[`${host}:${port}`] ?? (Number(port) === 443 ? stage.https : undefined);
  if (known === undefined) throw new Error(`The pages' world has no ${host}:${port}.`);
  return ["127.0.0.1", known];
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...words) {
  const options = Array.isArray(words[0]) ? words[0][0] : words[0];
  if (typeof options === "object" && options !== null) {
    if (!options.path) {
      const [host, port] = place(options.host ?? "localhost", options.port);
      const moved = { ...options, host, port };
      if (Array.isArray(words[0])) words[0][0] = moved;
      else words[0] = moved;
    }
  } else if (typeof words[1] === "string") {
    [words[1], words[0]] = place(words[1], words[0]);
  }
  return connect.apply(this, words);
};

const { lookup } = dns;
dns.lookup = (host, options, callback = options) => {
  if (isHere(host)) return lookup(host, options, callback);
  const found = lookUp(host);
  if (options?.all) callback(null, [found]);
  else callback(null, found.address, found.family);
};
const { lookup: find } = dns.promises;
dns.promises.lookup = async (host, options) => {
  if (isHere(host)) return find(host, options);
  return options?.all ? [lookUp(host)] : lookUp(host);
};

const staged = (path) => stage.files[String(path)] ?? path;
for (const [from, name] of [
  [fs, "readFileSync"],
  [fs.promises, "readFile"],
]) {
  const read = from[name];
  from[name] = (path, ...more) => read.call(from, staged(path), ...more);
}
syncBuiltinESMExports();

/** Links that somebody has opened already. */
const opened = new Set();

/** The person: opens the links of a login, once each, and allows what they are asked. */
async function read(text) {
  for (const [link] of text.matchAll(/https?:\/\/[^\s"'<>]+/g)) {
    const device = /[?&]user_code=/.test(link);
    const [typed] = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(text) ?? [];
    const login = /[?&]response_type=code\b/.test(link);
    if (!device && !login && !(typed && /\/device$/.test(link))) continue;
    if (opened.has(link)) continue;
    opened.add(link);
    const { approveDevice, completeLogin } = await import("../../../dist/testing/person.js");
    if (login) await completeLogin(link);
    else await approveDevice(device ? link : { verificationUri: link, userCode: typed });
  }
}

for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write;
  stream.write = function (chunk, ...more) {
    read(String(chunk)).catch((error) => {
      write.call(process.stderr, `The person could not log in: ${error.stack}\n`);
      process.exit(99);
    });
    return write.call(this, chunk, ...more);
  };
}
