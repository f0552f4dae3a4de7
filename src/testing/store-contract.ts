import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Entry, TokenStoreBackend } from "../store/backend.js";

/** One promise of a backend, to be run by any test runner. */
export interface ContractCase {
  /** What is promised, in words: the test's title. */
  readonly name: string;
  /** Rejects with an AssertionError where the promise is not kept. */
  run(): Promise<void>;
}

const A = "https://a.example.org";
const B = "https://b.example.org";

function entry(accessToken: string, more: object = {}): Entry {
  const expires = 4_000_000_000;
  return {
    token: { access_token: accessToken, expires, scope: "ä ✓" },
    stored_at: 1_700_000_000.25,
    ...more,
  };
}

/**
 * What every backend promises. For each case:
 * `for (const { name, run } of storeContract(open)) it(name, run);`
 *
 * @param open gives two backends on the same, empty place, as two processes would open it (the same object twice where
 *   the place is in this process)
 */
export function storeContract(
  open: () => Promise<readonly [TokenStoreBackend, TokenStoreBackend]>,
): readonly ContractCase[] {
  const promise = (
    name: string,
    test: (one: TokenStoreBackend, two: TokenStoreBackend) => Promise<void>,
  ): ContractCase => ({ name, run: async () => test(...(await open())) });

  return [
    promise("is empty at first", async (one) => {
      strictEqual(await one.get(A), undefined);
      deepStrictEqual(await one.keys(), []);
      strictEqual(await one.delete(A), false);
    }),
    promise("gives back what was set, with what it does not know, to others too", async (one, two) => {
      const put = entry("a", { server: A, unknown: { deep: [1, null, "x"] } });
      strictEqual(await one.set(A, put), true);
      deepStrictEqual(await one.get(A), put);
      deepStrictEqual(await two.get(A), put);
    }),
    promise("replaces one entry, and leaves the others", async (one, two) => {
      await one.set(A, entry("a"));
      await two.set(B, entry("b"));
      await two.set(A, entry("a2"));
      deepStrictEqual([await one.get(A), await one.get(B)], [entry("a2"), entry("b")]);
      deepStrictEqual([...(await one.keys())].sort(), [A, B]);
    }),
    promise("deletes one entry, and says whether there was one", async (one, two) => {
      await one.set(A, entry("a"));
      await one.set(B, entry("b"));
      strictEqual(await two.delete(A), true);
      strictEqual(await one.delete(A), false);
      deepStrictEqual(await one.keys(), [B]);
    }),
    promise("sets on a condition only where it holds", async (one, two) => {
      strictEqual(await one.set(A, entry("first"), { ifUnchanged: undefined }), true);
      strictEqual(await two.set(A, entry("second"), { ifUnchanged: undefined }), false);
      const read = await one.get(A);
      await two.set(A, entry("newer"));
      strictEqual(await one.set(A, entry("stale"), { ifUnchanged: read }), false);
      deepStrictEqual(await one.get(A), entry("newer"));
      strictEqual(await one.set(A, entry("next"), { ifUnchanged: await one.get(A) }), true);
      deepStrictEqual(await two.get(A), entry("next"));
    }),
    promise("deletes on a condition only where it holds", async (one, two) => {
      await one.set(A, entry("old"));
      const read = await one.get(A);
      await two.set(A, entry("newer"));
      strictEqual(await one.delete(A, { ifUnchanged: read }), false);
      deepStrictEqual(await one.get(A), entry("newer"));
      strictEqual(await one.delete(A, { ifUnchanged: await one.get(A) }), true);
      strictEqual(await two.get(A), undefined);
    }),
    promise("keeps any key apart", async (one) => {
      const keys = [
        "https://x.org",
        "https://x.org/",
        "https://x.org/app",
        "https://x.org#me",
        "__proto__",
        "ü:{}*",
      ];
      for (const key of keys) await one.set(key, entry(key));
      for (const key of keys) deepStrictEqual(await one.get(key), entry(key));
      deepStrictEqual([...(await one.keys())].sort(), [...keys].sort());
    }),
    promise("can say that it is writable, and changes nothing by it", async (one) => {
      await one.set(A, entry("a"));
      await one.assertWritable();
      deepStrictEqual(await one.keys(), [A]);
    }),
    promise("runs one work at a time for a key, across backends", async (one, two) => {
      let running = 0;
      let most = 0;
      const work = (backend: TokenStoreBackend) =>
        backend.withLock(A, async () => {
          most = Math.max(most, ++running);
          const count = Number((await backend.get(A))?.token["access_token"] ?? 0);
          await new Promise((resolve) => setImmediate(resolve));
          await backend.set(A, entry(String(count + 1)));
          running--;
        });
      await Promise.all(Array.from({ length: 10 }, (_, n) => work(n % 2 ? one : two)));
      strictEqual(most, 1);
      strictEqual((await one.get(A))?.token["access_token"], "10");
    }),
    promise("runs works for different keys side by side", async (one, two) => {
      const both = new Set<string>();
      let meet: () => void = () => {};
      const met = new Promise<void>((resolve) => {
        meet = resolve;
      });
      const work = (backend: TokenStoreBackend, key: string) =>
        backend.withLock(key, async () => {
          both.add(key);
          if (both.size === 2) meet();
          await met;
        });
      await Promise.all([work(one, A), work(two, B)]);
      strictEqual(both.size, 2);
    }),
    promise("does not say of a lock that was free that somebody died with it", async (one, two) => {
      for (const backend of [one, two]) {
        strictEqual(await backend.withLock(A, async (lock) => lock?.takenOver ?? false), false);
      }
    }),
    promise("returns what the work returns, throws what it throws, and frees the lock", async (one, two) => {
      strictEqual(await one.withLock(A, async () => 7), 7);
      const failure = new Error("the work failed");
      const caught = await one.withLock(A, () => Promise.reject(failure)).catch((error: unknown) => error);
      ok(caught instanceof Error && (caught === failure || caught.message.includes(failure.message)));
      strictEqual(await two.withLock(A, async () => "free"), "free");
    }),
    promise("lets a waiter go at once when its result is there, and when it is aborted", async (one, two) => {
      let finish: () => void = () => {};
      let begun: () => void = () => {};
      const inside = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const held = one.withLock(A, async () => {
        begun();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      await inside;
      if (one !== two) {
        strictEqual(
          await two.withLock(A, async () => "worked", { giveUp: async () => "was there" }),
          "was there",
        );
      }
      const abort = new AbortController();
      const waiter = two.withLock(A, async () => "worked", { signal: abort.signal });
      abort.abort();
      const error = await waiter.catch((caught: unknown) => caught);
      strictEqual((error as { code?: string }).code, "login_cancelled");
      finish();
      await held;
    }),
  ];
}
