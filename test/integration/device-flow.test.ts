import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import type { LoginOptions } from "../../src/options.js";
import {
  type AuthServer,
  type AuthServerOptions,
  approveDevice,
  fakeClock,
  memoryStore,
  type PersonUi,
  scriptedPerson,
  startAuthServer,
} from "../../src/testing/index.js";

interface Made {
  readonly server: AuthServer;
  readonly flow: DeviceFlow;
  readonly pauses: readonly number[];
  /** What happens during the pause of this number (from 1). */
  readonly during: Map<number, () => unknown>;
  readonly ui: PersonUi;
}

/** A flow whose pauses take no time: its clock jumps over them, and the server judges by the same clock. */
async function made(serverOptions: AuthServerOptions = {}, options: LoginOptions = {}): Promise<Made> {
  const during = new Map<number, () => unknown>();
  const clock = fakeClock({ onPause: ({ number }) => during.get(number)?.() });
  const server = await startAuthServer({ now: clock.now, ...serverOptions });
  onTestFinished(() => server.close());
  const { ui } = scriptedPerson({ acts: false });
  const flow = new DeviceFlow(server.host, { store: memoryStore(clock), ui, env: {}, ...clock, ...options });
  return { server, flow, pauses: clock.pauses, during, ui };
}

const seconds = (pauses: readonly number[]) => pauses.map((ms) => Math.floor(ms / 1000));

describe("getDeviceCode()", () => {
  it("gives what the server sent, in our names", async () => {
    const { flow } = await made({ deviceInterval: 7, deviceCodeLifetime: 120 });
    const code = await flow.getDeviceCode();
    expect(code).toEqual({
      uri: code.verificationUriComplete,
      verificationUri: expect.stringMatching(/^http/),
      verificationUriComplete: expect.stringContaining(encodeURIComponent(code.userCode)),
      userCode: expect.stringMatching(/\S+/),
      deviceCode: expect.stringMatching(/\S{8,}/),
      expiresIn: 120,
      interval: 7,
    });
  });

  it("takes 5 s where the server names no interval", async () => {
    const { flow } = await made({ deviceInterval: undefined });
    expect((await flow.getDeviceCode()).interval).toBe(5);
  });

  it.each([
    [120, 1800, 120],
    [120, 300, 75],
    [120, 60, 60],
    [1e9, 600, 150],
  ])(
    "of an interval of %d s takes no more than leaves some polls within %d s",
    async (asked, lifetime, taken) => {
      const { flow } = await made({ deviceInterval: asked, deviceCodeLifetime: lifetime });
      expect((await flow.getDeviceCode()).interval).toBe(taken);
    },
  );

  it.each<[string, number, string]>([
    [
      "FastAPI without a device endpoint",
      502,
      '{"detail":"OIDC endpoint \'device_authorization_endpoint\' not found in discovery."}',
    ],
    ["503", 503, ""],
    ["501", 501, "no"],
    ["404", 404, "<html>Not Found</html>"],
    ["405", 405, '{"detail":"Method Not Allowed"}'],
    [
      "unauthorized_client, wrapped",
      400,
      '{"detail":"Upstream OIDC error: {\\"error\\":\\"unauthorized_client\\"}"}',
    ],
    ["unsupported_grant_type", 400, '{"error":"unsupported_grant_type"}'],
  ])("%s means that there is no device flow", async (_name, status, body) => {
    const { server, flow } = await made();
    server.fail("device", { status, body });
    await expect(flow.getDeviceCode()).rejects.toMatchObject({ code: "device_flow_unsupported", status });
  });

  it.each<[string, number, string, string]>([
    ["another 502", 502, '{"detail":"Failed to contact OIDC endpoint: x"}', "request_failed"],
    ["a 500", 500, "Internal Server Error", "request_failed"],
    ["no device_code", 200, '{"user_code":"A","verification_uri":"https://x.org"}', "invalid_response"],
    ["no user_code", 200, '{"device_code":"A","verification_uri":"https://x.org"}', "invalid_response"],
    [
      "a verification_uri that is no http(s)",
      200,
      '{"device_code":"A","user_code":"B","verification_uri":"javascript:alert(1)"}',
      "invalid_response",
    ],
    ["truncated JSON", 200, '{"device_code":', "invalid_response"],
  ])("%s is an error of its own", async (_name, status, body, code) => {
    const { server, flow } = await made();
    server.fail("device", { status, body, contentType: "application/json" }, 3);
    await expect(flow.getDeviceCode()).rejects.toMatchObject({ code });
  });
});

describe.each(["detail", "plain"] as const)("polling a server whose errors are %s", (errorShape) => {
  async function polling(serverOptions: AuthServerOptions = {}, options: LoginOptions = {}) {
    const all = await made({ deviceInterval: 5, ...serverOptions }, options);
    all.server.errorShape = errorShape;
    const code = await all.flow.getDeviceCode();
    return { ...all, code };
  }

  it("keeps the interval until the person has entered the code", async () => {
    const { flow, code, pauses, during } = await polling();
    during.set(4, () => approveDevice(code.uri));
    expect(await flow.poll(code)).toMatchObject({ tokenType: "Bearer", refreshToken: expect.any(String) });
    expect(seconds(pauses)).toEqual([5, 5, 5, 5]);
  });

  it("adds 5 s on each slow_down, for good", async () => {
    const { server, flow, code, pauses, during } = await polling();
    server.slowDown(2);
    during.set(4, () => approveDevice(code.uri));
    await flow.poll(code);
    expect(seconds(pauses)).toEqual([5, 10, 15, 15]);
  });

  it("ends at once when the person denies", async () => {
    const { flow, code, pauses, during } = await polling();
    during.set(2, () => approveDevice(code.uri, { deny: true }));
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "access_denied" });
    expect(pauses).toHaveLength(2);
  });

  it("ends at once on expired_token", async () => {
    const { server, flow, code, pauses } = await polling();
    server.fail("token", { status: 400, body: '{"error":"expired_token"}', contentType: "application/json" });
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "expired_token" });
    expect(pauses).toHaveLength(1);
  });

  it("ends no later than the code's expires_in", async () => {
    const { flow, code, pauses } = await polling({ deviceCodeLifetime: 12 });
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "expired_token" });
    const total = pauses.reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeLessThanOrEqual(12_000);
    expect(total).toBeGreaterThan(11_000);
  });

  it("ends with the time-out, to the point", async () => {
    const { flow, code, pauses } = await polling({}, { timeout: 12 });
    await expect(flow.poll(code)).rejects.toMatchObject({ code: "login_timeout" });
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(12_000);
  });
});

describe("polling through trouble", () => {
  it.each([
    ["a dropped connection", "reset"],
    ["a 500", { status: 500, body: "oops" }],
    ["a 502 with a page", { status: 502, body: "<html>", contentType: "text/html" }],
    ["a 503", { status: 503, body: "" }],
    ["a 429", { status: 429, body: "" }],
  ] as const)("survives %s, more slowly each time", async (_name, fault) => {
    const { server, flow, pauses, during } = await made();
    const code = await flow.getDeviceCode();
    server.fail("token", fault, 3);
    during.set(4, () => approveDevice(code.uri));
    expect(await flow.poll(code)).toMatchObject({ tokenType: "Bearer" });
    expect(seconds(pauses)).toEqual([5, 5, 10, 21]);
  });

  it("obeys Retry-After", async () => {
    const { server, flow, pauses, during } = await made();
    const code = await flow.getDeviceCode();
    server.fail("token", { status: 503, body: "", headers: { "retry-after": "33" } });
    during.set(2, () => approveDevice(code.uri));
    await flow.poll(code);
    expect(seconds(pauses)).toEqual([5, 33]);
  });

  it.each([
    [
      "invalid_grant",
      { status: 400, body: '{"error":"invalid_grant"}', contentType: "application/json" },
      "invalid_grant",
    ],
    [
      "a plain 400",
      { status: 400, body: '{"detail":"Token creation failed."}', contentType: "application/json" },
      "request_failed",
    ],
    [
      "a page in place of the token",
      { status: 200, body: "<html>", contentType: "text/html" },
      "invalid_response",
    ],
  ] as const)("does not take %s for 'pending'", async (_name, fault, code) => {
    const { server, flow, pauses } = await made();
    const device = await flow.getDeviceCode();
    server.fail("token", fault);
    await expect(flow.poll(device)).rejects.toMatchObject({ code });
    expect(pauses).toHaveLength(1);
  });

  it("ends with the caller's signal in the middle of a pause", async () => {
    const { server } = await made();
    const flow = new DeviceFlow(server.host, { store: memoryStore() });
    const code = await flow.getDeviceCode();
    const abort = new AbortController();
    const polling = flow.poll(code, 3600, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(polling).rejects.toMatchObject({ code: "login_cancelled" });
  });
});

describe("authenticate()", () => {
  it("shows link and code, then stores the token", async () => {
    const { server, flow, ui, during } = await made();
    during.set(1, async () => approveDevice((await ui.seen("device")).code.uri));
    const token = await flow.authenticate();
    expect(ui.steps.map((step) => step.type)).toEqual(["device", "done"]);
    expect((await fetch(server.meUrl, { headers: token.headers })).status).toBe(200);
    expect(await flow.authenticate()).toEqual(token);
    expect(server.counts["device"]).toBe(1);
  });

  it("of two flows for one host keeps each one's own options", async () => {
    const one = await made();
    const other = new DeviceFlow(one.server.host, { deviceRoute: "/elsewhere" });
    await expect(other.getDeviceCode()).rejects.toMatchObject({
      code: "device_flow_unsupported",
      status: 404,
    });
    expect(await one.flow.getDeviceCode()).toMatchObject({ interval: 5 });
  });

  it("shows no secret in an error", async () => {
    const { server, flow } = await made();
    const code = await flow.getDeviceCode();
    const body = JSON.stringify({
      error: "invalid_grant",
      error_description: `device code ${code.deviceCode} is spent`,
    });
    server.fail("token", { status: 400, body, contentType: "application/json" });
    const error = await flow.poll(code).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ description: "device code [hidden] is spent" });
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain(code.deviceCode);
  });
});

it("refresh() renews a token, and stores nothing", async () => {
  const { server, flow, during, ui } = await made();
  during.set(1, async () => approveDevice((await ui.seen("device")).code.uri));
  const token = await flow.authenticate();
  const renewed = await flow.refresh(token.refreshToken ?? "");
  expect(renewed.accessToken).not.toBe(token.accessToken);
  expect((await fetch(server.meUrl, { headers: renewed.headers })).status).toBe(200);
  expect(await flow.authenticate()).toEqual(token);
});
