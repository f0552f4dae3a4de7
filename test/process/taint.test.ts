import { channel } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { TokenStore } from "../../src/store/token-store.js";
import { scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { userinfo } from "../../src/userinfo.js";
import { heard } from "../support/sinks.js";
import { filesBelow, Taint } from "../support/taint.js";
import { FAULTS, STALL } from "../support/tainted-faults.js";
import { FLOWS, taintedWorld } from "../support/tainted-flows.js";
import { type Fault, startTaintedServer } from "../support/tainted-server.js";
import { tempFolder } from "../support/temp-folder.js";

/** One run of a flow, with a fault or without. @returns what is wrong with it */
async function run(name: string, fault: Fault | undefined, paths?: RegExp): Promise<string[]> {
  const flow = FLOWS[name];
  if (!flow) throw new Error(`There is no flow ${name}.`);
  const [taint, folder, stop] = [new Taint(), tempFolder(), new AbortController()];
  const server = await startTaintedServer(taint);
  if (fault) server.fault(paths ?? flow.paths, fault);
  if (fault === STALL) void server.faulty.then(() => stop.abort());
  const { result, ...told } = await heard((ears) =>
    flow.run(taintedWorld({ taint, server, folder, ears, signal: stop.signal })),
  );
  const problems: string[] = [];
  if (fault === undefined && "error" in told) problems.push(String(told["error"]));
  if (fault === STALL && !("error" in told)) problems.push("it went on");
  if (server.faultsLeft() > 0) problems.push("it was not met");
  const urls = server.seen.filter(({ url }) => url.pathname !== "/authorize").map(({ url }) => url.href);
  const files = filesBelow(folder, [join(folder, "store.json"), join(folder, "job-token")]);
  const places = {
    ...told,
    urls,
    files,
    "the result, shown": inspect(result, { showHidden: true, depth: 10 }),
  };
  const leaks = taint.leaks(places);
  return [...problems, ...leaks.map(({ secret, place, excerpt }) => `${secret} in ${place}: ${excerpt}`)];
}

describe("no secret leaves the library", () => {
  it.each(Object.keys(FLOWS))("%s, in whatever way it fails", { timeout: 60_000 }, async (name) => {
    const problems: string[] = [];
    const faults = { "all well": undefined, ...FAULTS, "no answer at all": STALL };
    for (const [what, fault] of Object.entries(faults)) {
      problems.push(...(await run(name, fault)).map((problem) => `${what}: ${problem}`));
    }
    expect(problems).toEqual([]);
  });
});

describe("a browser that comes back with an error which repeats all that it was sent with", () => {
  const denial =
    (error: (all: string) => string): Fault =>
    async (_seen, _raw, proper) => {
      const reply = await proper();
      const back = new URL(reply.headers?.["location"] ?? "");
      const all = `${back.href} ${[...back.searchParams.values()].join(" ")} ${back.searchParams.get("state")?.split("|").at(-1)}`;
      back.searchParams.delete("code");
      back.searchParams.set("error", error(all));
      back.searchParams.set("error_description", `You came with ${all}`);
      return { ...reply, headers: { location: back.href } };
    };

  it.each(["routes: browser", "issuer: browser"])("%s", async (name) => {
    expect(
      await run(
        name,
        denial(() => "server_error"),
        /authorize$/,
      ),
    ).toEqual([]);
    expect(
      await run(
        name,
        denial((all) => all),
        /authorize$/,
      ),
    ).toEqual([]);
  });
});

describe("with a real provider", () => {
  it.each(["passthrough", "broker"] as const)("behind routes (%s): what it gave is nowhere", async (mode) => {
    const real = await startAuthServer({ mode, deviceInterval: 0.05, enforceInterval: false });
    onTestFinished(real.close);
    const [taint, store] = [new Taint(), new TokenStore({ path: join(tempFolder(), "store.json") })];
    const learn = ({ accessToken, refreshToken = "" }: Token) => {
      taint.add("access token", accessToken);
      taint.add("refresh token", refreshToken);
    };
    const places = await heard(async ({ onEvent, explain, keep }) => {
      const options = { store, ...scriptedPerson(), onEvent, explain, env: { OIDC_AUTH_DEBUG: "1" } };
      learn(await authenticate(real.host, { ...options, flow: "device" }));
      const token = await authenticate(real.host, { ...options, flow: "code", force: true });
      learn(token);
      await store.put(real.host, new Token({ ...token, expiresAt: 1 }));
      learn(await authenticate(real.host, options));
      await userinfo(real.host, options);
      keep("requests", real.requests);
      await real.revokeAll();
      await store.put(real.host, new Token({ ...token, expiresAt: 1 }));
      await authenticate(real.host, { ...options, interactive: false });
    });
    expect(places["error"]).toMatchObject({ code: "interaction_required" });
    // In broker mode one token is both.
    expect(taint.named("")).toHaveLength(mode === "broker" ? 3 : 6);
    expect(taint.leaks(places)).toEqual([]);
  });
});

describe("the search", () => {
  const secret = (taint: Taint) => taint.make("a secret");
  const found = (write: (value: string) => unknown) => {
    const taint = new Taint();
    return taint.leaks({ here: write(secret(taint)) }).map(({ secret: name }) => name);
  };

  it.each<[string, (value: string) => unknown]>([
    ["as it is", (value) => `before${value}after`],
    ["in percent signs", encodeURIComponent],
    ["in a form", (value) => new URLSearchParams({ value }).toString()],
    ["in JSON", (value) => JSON.stringify({ deep: JSON.stringify(value) })],
    ["in HTML", (value) => value.replace(/[^a-z0-9]/g, (one) => `&#${one.charCodeAt(0)};`)],
    ["in hex", (value) => Buffer.from(value).toString("hex")],
    ["in base64", (value) => Buffer.from(value).toString("base64")],
    ["in base64, one further", (value) => Buffer.from(`:${value}`).toString("base64")],
    ["in base64, two further", (value) => Buffer.from(`a:${value}`).toString("base64url")],
    ["by its beginning", (value) => value.slice(0, 12)],
    ["by its end", (value) => value.slice(-18)],
    ["in an error's message", (value) => new Error(value)],
    ["in an error's hidden member", (value) => Object.defineProperty(new Error("x"), "hidden", { value })],
    ["in the cause of a cause", (value) => new Error("x", { cause: new Error("y", { cause: { value } }) })],
    ["in an error's stack", (value) => Object.assign(new Error("x"), { stack: value })],
    ["in what JSON makes of it", (value) => Object.assign(new Error("x"), { toJSON: () => value })],
    [
      "in what inspection makes of it",
      (value) => ({ [Symbol.for("nodejs.util.inspect.custom")]: () => value }),
    ],
    ["in a getter", (value) => Object.defineProperty({}, "shown", { get: () => value, enumerable: true })],
    ["in a Map", (value) => new Map([["a", [new Set([value])]]])],
  ])("finds a secret %s", (_where, write) => {
    expect(found(write)).not.toEqual([]);
  });

  it("finds nothing where nothing is, and not what is allowed", () => {
    const taint = new Taint();
    const value = secret(taint);
    expect(taint.leaks({ here: ["nothing", { more: new Error("nothing") }] })).toEqual([]);
    expect(taint.leaks({ here: `${value} ${JSON.stringify(value)}` }, ["a secret"])).toEqual([]);
  });

  it("finds what is let out in each of the places", async () => {
    const [taint, folder] = [new Taint(), tempFolder()];
    const value = secret(taint);
    const places = await heard(async ({ onEvent, explain, keep }) => {
      onEvent({ type: "warning", message: value });
      explain(value);
      keep("pages", value);
      channel("oidc-auth-client").publish({ type: "explain", text: value, time: 0 });
      process.stdout.write(value);
      process.stderr.write(value);
      process.emitWarning(value);
      writeFileSync(join(folder, "draft"), value);
      throw new Error("x", { cause: value });
    });
    const all = { ...places, files: filesBelow(folder) };
    const where = new Set(taint.leaks(all).map(({ place }) => place));
    expect([...where].sort()).toEqual(
      ["diagnostics", "error", "events", "explain", "files", "pages", "stderr", "stdout", "warnings"].sort(),
    );
  });
});
