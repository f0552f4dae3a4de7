import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { LOCK_TIMES } from "../../src/store/file-lock.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, completeLogin, scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { type Child, runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const worker = (name: string) => join(import.meta.dirname, "workers", `${name}.mjs`);

async function world() {
  const server = await startAuthServer({ deviceInterval: 0.1, enforceInterval: false });
  onTestFinished(() => server.close());
  const path = join(tempFolder(), "store.json");
  const start = (flow: string, force = "") => runNode(worker("log-in"), [server.host, path, flow, force]);
  const me = async (line: string) => {
    const headers = { authorization: line.replace(/^token /, "") };
    return (await fetch(server.meUrl, { headers })).status;
  };
  return { server, path, start, me };
}

const linkOf = async (child: Child) => (await child.line((line) => line.startsWith("link "))).slice(5);
const end = (child: Child) =>
  child.line((line) => /^(token|failed) [^ ]+( |$)/.test(line) && !/^failed The /.test(line));
const approve = (link: string) =>
  link.includes("user_code") ? approveDevice(link) : completeLogin(link).then(() => {});

describe("two processes in which the same person is asked to log in", () => {
  it.each([
    ["device", "device"],
    ["device", "code"],
    ["code", "device"],
  ])("by %s and by %s: one login is enough for both", async (first, second) => {
    const { server, path, start, me } = await world();
    const [one, other] = [start(first), start(second)];
    const [link] = await Promise.all([linkOf(one), linkOf(other)]);
    await approve(link);
    const token = await end(one);
    expect(await me(token)).toBe(200);
    expect(await end(other)).toBe(token);
    await Promise.all([one.ended(), other.ended()]);
    expect(other.lines).toEqual(
      expect.arrayContaining([
        "notice Another process has logged in meanwhile: its login is used.",
        "done",
        "event login_elsewhere",
        "event reused",
      ]),
    );
    expect(other.lines).not.toContain("event logged_in");
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")))).toEqual([server.host]);
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });

  it("who answers both at once gets two good tokens, and one of them is stored", async () => {
    const { server, path, start, me } = await world();
    const children = [start("device"), start("device"), start("device")];
    const links = await Promise.all(children.map(linkOf));
    await Promise.all(links.map(approve));
    const tokens = await Promise.all(children.map(end));
    for (const token of tokens) expect(await me(token)).toBe(200);
    await Promise.all(children.map((child) => child.ended()));
    const { access_token } = JSON.parse(readFileSync(path, "utf8"))[server.host].token;
    expect(tokens).toContain(`token Bearer ${access_token}`);
    expect(readdirSync(dirname(path))).toEqual(["store.json"]);
  });

  it("a login that was forced goes on: what another process stored was not wanted", async () => {
    const { start, me } = await world();
    const [one, forced] = [start("device"), start("device", "force")];
    const [link, own] = await Promise.all([linkOf(one), linkOf(forced)]);
    await approve(link);
    const token = await end(one);
    await one.ended();
    await approve(own);
    const second = await end(forced);
    expect(await me(second)).toBe(200);
    expect(second).not.toBe(token);
    expect(forced.lines).not.toContain("event login_elsewhere");
  });
});

describe("two logins in one process", () => {
  it("in the same way are one, in two ways the first to finish ends the other", async () => {
    const { server } = await world();
    const store = new TokenStore({ backend: memoryBackend() });
    const [here, there] = [scriptedPerson({ acts: false }).ui, scriptedPerson({ acts: false }).ui];
    const begin = (flow: "device" | "code", ui = there) => {
      const token = authenticate(server.host, { store, ui, flow, interactive: true, openBrowser: false });
      return { ui, token };
    };
    const [one, same, other] = [begin("device", here), begin("device", here), begin("code")];
    const { redirectUri } = await other.ui.seen("code");
    await approveDevice((await here.seen("device")).code.uri);
    const tokens = await Promise.all([one.token, same.token, other.token]);
    expect(new Set(tokens.map((token) => token.accessToken)).size).toBe(1);
    expect(server.counts["device"]).toBe(1);
    expect(other.ui.steps.map((step) => step.type)).toEqual(["code", "notice", "done"]);
    await expect(fetch(redirectUri)).rejects.toThrow();
  });
});

describe("a program that ends while it holds a lock", () => {
  it.each(["exit", "uncaught", "rejected", "abort"])(
    "by %s leaves it to the next one at once",
    async (how) => {
      const path = join(tempFolder(), "store.json");
      const child = runNode(worker("end-inside"), [path, how]);
      await child.line((line) => line === "inside");
      const { code, signal } = await child.ended();
      expect(code === 0 && signal === null).toBe(false);
      expect(readdirSync(dirname(path)).some((name) => name.endsWith(".lock"))).toBe(true);
      const begun = performance.now();
      const token = new Token({ accessToken: "next", expiresAt: 4e9 });
      expect(await new TokenStore({ path }).update("https://auth.example.org", async () => token)).toBe(
        token,
      );
      expect(performance.now() - begun).toBeLessThan(LOCK_TIMES.staleMs);
      expect(readdirSync(dirname(path))).toEqual(["store.json"]);
    },
  );
});
