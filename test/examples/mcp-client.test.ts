import { describe, expect, it } from "vitest";
import { approveDevice, completeLogin } from "../../src/testing/index.js";
import { outcomeOf, runExample } from "../support/examples.js";
import { startMcp } from "../support/mcp-server.js";
import { tempFolder } from "../support/temp-folder.js";

describe("mcp-client", () => {
  it("registers, has the person log in, and calls a tool; the next run asks nobody", async () => {
    const { url, count } = await startMcp();
    const env = { XDG_CACHE_HOME: tempFolder() };
    const first = runExample("mcp-client/client.ts", [url.href, "whoami"], {
      ...env,
      INTERACTIVE_SESSION: "1",
    });
    const link = await first.error((line) => /^http\S+$/.test(line));
    await (link.includes("user_code") ? approveDevice(link) : completeLogin(link));
    const says = 'It has the tools whoami.\n[{"type":"text","text":"alice"}]';
    expect(await outcomeOf(first)).toMatchObject({ code: 0, out: says });
    const [registrations, requests] = [count("/reg"), count("/token")];
    const second = runExample("mcp-client/client.ts", [url.href, "whoami"], env);
    expect(await outcomeOf(second)).toEqual({ code: 0, out: says, err: "" });
    expect([registrations, count("/reg"), count("/token") - requests]).toEqual([1, 1, 0]);
  });

  it("ends with 3 and what to do where nobody can log in", async () => {
    const { url } = await startMcp();
    const env = { XDG_CACHE_HOME: tempFolder() };
    const { code, out, err } = await outcomeOf(runExample("mcp-client/client.ts", [url.href], env));
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain(`oidc-auth ${url.href} --api`);
  });
});
