import { describe, expect, it, onTestFinished } from "vitest";
import { FileLock, LOCK_TIMES } from "../../src/store/file-lock.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice } from "../../src/testing/index.js";
import { at, LINK, litter, login, SIGNALS, type World, world } from "../support/held-program.js";
import { logIn } from "../support/login.js";

/** What a signal must not lose: a renewal that was begun, and a login that is there. */

/** A program whose person has just logged in, and who has to wait to store that: somebody else is at the file. */
async function saving(all: World) {
  const child = login(all, "--flow", "device");
  const link = await child.error((line) => LINK.test(line));
  const lock = (await FileLock.acquire(`${all.path}.lock`, LOCK_TIMES)) as FileLock;
  onTestFinished(() => lock.release());
  await approveDevice(link);
  await child.error((line) => line.includes("You are logged in"));
  return { child, lock };
}

describe.each(SIGNALS)("%s", (signal, status) => {
  it("while a login is stored waits for that, and then ends the program", async () => {
    const all = await world();
    const { child, lock } = await saving(all);
    child.process.kill(signal);
    await child.error((line) => line === `oidc-auth: Ended by ${signal}.`);
    expect(await all.store.get(all.gate.host)).toBeUndefined();
    await lock.release();
    expect(await child.ended()).toEqual({ code: status, signal: null });
    expect(child.lines).toEqual([]);
    expect((await all.store.get(all.gate.host))?.refreshToken).toMatch(/\S/);
    expect(litter(all.path)).toEqual([]);
  });

  it("twice while a login is stored ends it at once, and leaves the file as it was", async () => {
    const all = await world();
    const { child, lock } = await saving(all);
    child.process.kill(signal);
    await child.error((line) => line === `oidc-auth: Ended by ${signal}.`);
    child.process.kill(signal);
    expect(await child.ended()).toEqual({ code: status, signal: null });
    await lock.release();
    expect(await all.store.hosts()).toEqual([]);
  });

  it("while a token is renewed hears the server out, stores what it says, and then ends", async () => {
    const all = await world();
    const old = await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("exec", all.gate.host, "--", "echo", "must not run"));
    child.process.kill(signal);
    expect(await child.error((line) => line.includes("stored first"))).toContain(all.gate.host);
    held.release();
    expect(await child.ended()).toEqual({ code: status, signal: null });
    expect(child.lines).toEqual([]);
    const stored = await new TokenStore({ path: all.path }).get(all.gate.host);
    expect(stored?.refreshToken).toMatch(/\S/);
    expect(stored?.refreshToken).not.toBe(old.refreshToken);
    expect(litter(all.path)).toEqual([]);
    // The new refresh token is the good one.
    all.expire();
    const next = all.start("token", all.gate.host);
    expect(await next.ended()).toMatchObject({ code: 0 });
    expect(all.counts("refreshes")).toBe(2);
  });

  it("twice ends at once; the lock is taken over by whoever comes next", async () => {
    const all = await world();
    await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("token", all.gate.host));
    child.process.kill(signal);
    await child.error((line) => line.includes("once more ends at once"));
    child.process.kill(signal);
    expect(await child.ended()).toEqual({ code: status, signal: null });
    const next = all.start(all.gate.host, "--force", "--interactive", "--no-browser", "--flow", "device");
    await approveDevice(await next.error((line) => LINK.test(line)));
    expect(await next.ended()).toMatchObject({ code: 0 });
    const renewed = all.start("refresh", all.gate.host);
    expect(await renewed.ended()).toMatchObject({ code: 0 });
    expect(litter(all.path)).toEqual([]);
  });
});

describe("a reader that has gone", () => {
  it("of what a person reads does not end a renewal in the middle", async () => {
    const all = await world();
    const old = await logIn(all.gate.host, all.store);
    all.expire();
    const held = all.gate.hold(/refresh-token=/);
    const child = await at(held, all.start("token", all.gate.host, "--explain"));
    child.process.stderr?.destroy();
    // It has something to say to whom nobody reads.
    child.process.kill("SIGINT");
    held.release();
    expect(await child.ended()).toEqual({ code: 130, signal: null });
    const stored = await new TokenStore({ path: all.path }).get(all.gate.host);
    expect(stored?.refreshToken).not.toBe(old.refreshToken);
    expect(litter(all.path)).toEqual([]);
  });
});
