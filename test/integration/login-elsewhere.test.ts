import { afterEach, expect, it, vi } from "vitest";
import { logInUnlessElsewhere } from "../../src/flows/login-elsewhere.js";
import { openSession } from "../../src/flows/session.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";

/** What a login does while another process may be logging in at the same place. */

afterEach(() => {
  vi.useRealTimers();
});

it("a store that hangs while a person logs in is not asked again before it has answered", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const backend = memoryBackend();
  const answers: (() => void)[] = [];
  vi.spyOn(backend, "get").mockImplementation(
    () => new Promise((resolve) => answers.push(() => resolve(undefined))),
  );
  const session = openSession("https://auth.example.org", { store: new TokenStore({ backend }), env: {} });
  let finish: (token: Token) => void = () => {};
  const login = () =>
    new Promise<Token>((resolve) => {
      finish = resolve;
    });
  const options = { force: false, signal: undefined, sharedAs: "device", place: session.config } as const;
  const outcome = logInUnlessElsewhere(session, options, login, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(answers).toHaveLength(1);
  // Its own key, and then that of the origin.
  answers[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  answers[1]?.();
  await vi.advanceTimersByTimeAsync(2000);
  expect(answers).toHaveLength(3);
  const token = new Token({ accessToken: "a", expiresAt: 4e9 });
  finish(token);
  expect(await outcome).toEqual({ token, elsewhere: false });
});
