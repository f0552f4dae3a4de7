import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { fileBackend } from "../../src/store/file-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const HOST = "https://auth.example.org";
const worker = (name: string) => join(import.meta.dirname, "workers", `${name}.mjs`);

it("64 processes that each put 20 logins lose none of 1,280", { timeout: 400_000 }, async () => {
  const path = join(tempFolder(), "store.json");
  const children = Array.from({ length: 64 }, (_, n) =>
    runNode(worker("put-forever"), [path, `p${n}`, "20"]),
  );
  const ends = await Promise.all(children.map((child) => child.ended()));
  expect(children.flatMap((child) => child.errors)).toEqual([]);
  expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
  expect(Object.keys(JSON.parse(readFileSync(path, "utf8")))).toHaveLength(1280);
  expect(readdirSync(dirname(path))).toEqual(["store.json"]);
});

it("a holder that was stopped past its lease does not write over what came after", async () => {
  const path = join(tempFolder(), "store.json");
  const lockTimes = { staleMs: 400, waitMs: 20_000 };
  const store = new TokenStore({ backend: fileBackend(path, { onWarning: () => {}, lockTimes }) });
  const holder = runNode(worker("hold"), [path, String(lockTimes.staleMs)]);
  await holder.line((line) => line === "inside");
  holder.process.kill("SIGSTOP");
  const newer = new Token({ accessToken: "newer", expiresAt: 4e9 });
  expect(await store.update(HOST, async () => newer)).toBe(newer);
  holder.process.kill("SIGCONT");
  holder.process.stdin?.write("go\n");
  expect(await holder.line((line) => line.startsWith("returned"))).toBe("returned newer");
  await holder.ended();
  expect(JSON.parse(readFileSync(path, "utf8"))[HOST].token.access_token).toBe("newer");
  expect(readdirSync(dirname(path))).toEqual(["store.json"]);
});

it("a holder that lives is never robbed, however long it works", async () => {
  const path = join(tempFolder(), "store.json");
  const lockTimes = { staleMs: 300, waitMs: 1200 };
  const store = new TokenStore({ backend: fileBackend(path, { onWarning: () => {}, lockTimes }) });
  const holder = runNode(worker("hold"), [path, String(lockTimes.staleMs)]);
  await holder.line((line) => line === "inside");
  // Four times the stale limit: the holder's touches are what keeps the lock.
  await expect(store.update(HOST, async () => undefined)).rejects.toMatchObject({
    code: "store_locked",
    message: expect.stringContaining(`process ${holder.process.pid}`),
  });
  holder.process.stdin?.write("go\n");
  expect(await holder.line((line) => line.startsWith("returned"))).toBe("returned stale");
  await holder.ended();
});
