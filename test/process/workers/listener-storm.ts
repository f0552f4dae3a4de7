// Attacks the listener of a login until a line on standard input ends it: `listener-storm.ts SETTINGS`, an object in JSON.
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { type Attack, type Attacked, attacks, kindsOf } from "../../support/callback-attacks.js";

const settings = JSON.parse(process.argv[2] ?? "") as Attacked & { readonly seed: number };
const { port, path, seed } = settings;
/** Attacks under way at the same time. */
const AT_ONCE = 40;
/** Connections that are kept open and never come to an end: more than the listener wants to have. */
const SLOW = 600;
/** After so many attacks the slow ones send one byte more. */
const NOW_AND_THEN = 500;
const TELL_EVERY = 10_000;
const BATCH = 1000;

const arbitrary = attacks(settings);
/** Attacks by how they were answered, and by what they were. */
const counts: Record<string, number> = {};
const kinds: Record<string, number> = {};
const count = (of: Record<string, number>, name: string) => {
  of[name] = (of[name] ?? 0) + 1;
};
let [sent, made, told, batch, stopping] = [0, 0, 0, 0, false];
let queue: Attack[] = [];

function next(): Attack {
  if (queue.length === 0) queue = fc.sample(arbitrary, { numRuns: BATCH, seed: seed + batch++ });
  return queue.pop() as Attack;
}

function open(): Socket {
  const socket = connect({ port, host: made++ % 2 ? "127.0.0.1" : "::1" });
  socket.on("error", () => {});
  return socket;
}

/** One connection, until the other side has ended it. */
function attack(one: Attack): Promise<void> {
  const { requests, cuts, end } = one;
  const bytes = Buffer.from(requests.join(""), "latin1");
  const marks = [...cuts.map((at) => Math.floor(at * bytes.length)), bytes.length].sort((a, b) => a - b);
  const socket = open();
  let [answer, from] = ["", 0];
  const write = (error?: Error | null) => {
    if (error) return;
    const to = marks.shift();
    if (to !== undefined) {
      socket.write(bytes.subarray(from, to), write);
      from = to;
      return;
    }
    sent += requests.length;
    for (const kind of kindsOf(one)) count(kinds, kind);
    if (end === "half-close") socket.end();
    else if (end === "reset") socket.resetAndDestroy();
    else if (end === "leave") socket.destroy();
  };
  socket.on("connect", () => write());
  socket.on("data", (chunk: Buffer) => {
    if (answer.length < 20) answer += chunk.toString("latin1");
  });
  return new Promise((resolve) => {
    socket.on("close", () => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
      count(counts, status ?? (end === "reset" || end === "leave" ? "left" : "ended"));
      resolve();
    });
  });
}

/** What has been sent of each slow request. */
const slow = new Map<Socket, number>();
const REQUEST = `GET ${path}?code=a&state=b HTTP/1.1\r\nHost: localhost:${port}\r\nX: ${"y".repeat(200)}`;

function keepSlow(): void {
  for (const [socket, at] of slow) {
    socket.write(REQUEST.charAt(at));
    slow.set(socket, at + 1);
  }
  while (slow.size < SLOW) {
    const socket = open();
    socket.resume();
    slow.set(socket, 0);
    socket.on("close", () => slow.delete(socket));
    count(kinds, "slow");
  }
}

let attacked = 0;
async function goOn(): Promise<void> {
  while (!stopping) {
    if (attacked++ % NOW_AND_THEN === 0) keepSlow();
    await attack(next());
    if (sent >= told + TELL_EVERY) {
      told += TELL_EVERY;
      console.log(`sent ${told}`);
    }
  }
}

createInterface({ input: process.stdin }).once("line", () => {
  stopping = true;
});
await Promise.all(Array.from({ length: AT_ONCE }, goOn));
for (const socket of slow.keys()) socket.destroy();
console.log(JSON.stringify({ sent, counts, kinds }));
process.exit(0);
