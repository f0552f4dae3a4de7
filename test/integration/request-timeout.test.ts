import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import { startAuthServer } from "../../src/testing/index.js";
import { startFaultProxy, type WireFault } from "../support/fault-proxy.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");

async function slowServer(fault: WireFault) {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const proxy = await startFaultProxy();
  onTestFinished(() => proxy.close());
  proxy.forwardTo(server.host);
  return { host: proxy.origin, run: proxy.run("", () => fault) };
}

it.each<[string, WireFault]>([
  ["says nothing", { stall: "before" }],
  ["sends header after header", { drip: "headers" }],
  ["sends its body byte by byte", { drip: "body" }],
])("a server that %s is left after requestTimeout, and not asked again", async (_name, fault) => {
  const { host, run } = await slowServer(fault);
  await expect(new DeviceFlow(host, { requestTimeout: 0.3 }).getDeviceCode()).rejects.toMatchObject({
    code: "network_error",
    message: `The device route (${host}/auth/v2/device) did not answer within 0.3 s.`,
    hint: expect.stringContaining("requestTimeout (--request-timeout)"),
  });
  expect(run.requests).toHaveLength(1);
  await run.faultyClosed();
});

it.each([0, -1, Number.NaN, "5"])("%j is no requestTimeout", (requestTimeout) => {
  expect(
    () => new DeviceFlow("https://auth.example.org", { requestTimeout: requestTimeout as number }),
  ).toThrow(
    expect.objectContaining({ code: "invalid_config", message: expect.stringContaining("requestTimeout") }),
  );
});

it("--request-timeout does the same on the command line", async () => {
  const { host } = await slowServer({ stall: "before" });
  const home = tempFolder();
  const env = { XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, HOME: home };
  const arguments_ = [host, "--interactive", "--flow", "device", "--no-browser", "--request-timeout"];
  const child = runNode(CLI, [...arguments_, "0.3"], env);
  child.process.stdin?.end();
  expect((await child.ended()).code).toBe(1);
  expect(child.errors.join("\n")).toContain("did not answer within 0.3 s.");
  const wrong = runNode(CLI, [...arguments_, "soon"], env);
  wrong.process.stdin?.end();
  expect((await wrong.ended()).code).toBe(2);
  expect(wrong.errors.join("\n")).toContain("--request-timeout takes a number of seconds above 0");
});
