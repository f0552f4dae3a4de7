import { expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { isAuthError } from "../../src/errors.js";
import {
  type FakeClock,
  fakeClock,
  memoryStore,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";
import { startFaultProxy, type WireFault } from "../support/fault-proxy.js";

/** A device login whose polls meet something, by a person who does what they are asked to. */
async function logIn(
  fault: WireFault | ((clock: FakeClock) => WireFault | undefined),
  options: { timeout?: number } = {},
) {
  const clock = fakeClock();
  const server = await startAuthServer({ enforceInterval: false });
  onTestFinished(() => server.close());
  const proxy = await startFaultProxy();
  onTestFinished(() => proxy.close());
  proxy.forwardTo(server.host);
  const next = typeof fault === "function" ? () => fault(clock) : () => fault;
  const events: string[] = [];
  const { requests } = proxy.run("", ({ body }) => (body.includes("device-code") ? next() : undefined));
  const start = clock.now();
  const error = await authenticate(proxy.origin, {
    ...{ ...clock, ...scriptedPerson(), ...options },
    onEvent: ({ type }) => events.push(type),
    flow: "device",
    store: memoryStore(clock),
  }).catch((thrown: unknown) => thrown);
  if (!isAuthError(error)) return expect.fail("The login should have failed.");
  const polls = requests.filter(({ body }) => body.includes("device-code")).length;
  return {
    error,
    events,
    polls,
    seconds: (clock.now() - start) / 1000,
    route: `${proxy.origin}/auth/v2/token`,
  };
}

const answer = (status: number, headers = {}): WireFault => ({
  answer: () => ({ status, headers, body: "" }),
});

it("that the server takes no poll for longer than the code is valid is told at once, with what to do", async () => {
  const { error, polls, seconds, route } = await logIn(answer(429, { "retry-after": "3600" }));
  expect(error).toMatchObject({
    code: "request_failed",
    status: 429,
    retryAfter: 3600,
    message: `The token route (${route}) answered 429. It is not to be asked again for 3600 s, and the login may take 600 s.`,
    hint: 'Start the login again when that time is over, or use the browser login: flow: "code" (--flow code).',
  });
  expect(polls).toBe(1);
  expect(seconds).toBeLessThan(60);
});

it.each([
  [{}, "expired_token", "The code ran out."],
  [{ timeout: 60 }, "login_timeout", "The login was not finished within 60 s."],
] as const)(
  "a login that ran out (%j) says that the server could not be asked, and why",
  async (options, code, what) => {
    const { error, polls, route } = await logIn(answer(502), options);
    expect(error).toMatchObject({
      code,
      status: 502,
      message: `${what} The server could not tell whether it was entered: The token route (${route}) answered 502.`,
      hint: expect.stringMatching(/ Then start the login again\.$/),
    });
    expect(error.cause).toMatchObject({ code: "request_failed", status: 502 });
    expect(polls).toBeGreaterThan(2);
  },
);

it("that the time is up in the middle of a poll is the end, and no trouble to try again after", async () => {
  let polls = 0;
  const { error, events, route } = await logIn((clock) => {
    if (++polls === 1) return { answer: () => ({ status: 503, headers: {}, body: "" }) };
    clock.advanceSeconds(600);
    return { stall: "before" };
  });
  expect(error).toMatchObject({
    code: "expired_token",
    message: `The code ran out. The server could not tell whether it was entered: The token route (${route}) answered 503.`,
  });
  expect(polls).toBe(2);
  expect(events.filter((type) => type === "retrying")).toHaveLength(1);
});

it("that the answer with the token was lost is told as the reason why the code is of no more use", async () => {
  let polls = 0;
  const { error, route } = await logIn(() => (++polls === 1 ? { reset: "after" } : undefined));
  expect(error).toMatchObject({
    code: "invalid_grant",
    status: 400,
    message: `The token route (${route}) answered 400 (invalid_grant). The answer to the poll before was lost on the way: it may have been the one with the token.`,
    hint: "Start the login again.",
  });
  expect(polls).toBe(2);
});
