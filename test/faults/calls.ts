import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, completeLogin } from "../../src/testing/index.js";
import type { Token } from "../../src/token.js";
import { userinfo } from "../../src/userinfo.js";
import { countCall, storeLogin } from "./logins.js";
import type { RequestName, Site } from "./sites.js";

/** A call whose flow comes to a request that something is done to. */
export interface Call {
  readonly site: Site;
  readonly request: RequestName;
  /** Which call comes to it. */
  readonly by: RequestName;
  /** For what is kept in files. */
  readonly folder: string;
  readonly fetch: typeof globalThis.fetch;
  /** Seconds. */
  readonly requestTimeout: number;
}

export interface Called {
  /** What the call gave, or threw. */
  readonly value?: unknown;
  readonly error?: unknown;
  /** What it found in its store. */
  readonly login: Token | undefined;
  readonly tookMs: number;
  readonly events: readonly AuthEvent[];
  /** All that was told while it lasted. */
  readonly told: string;
  /** The store's file before and after. */
  readonly before: string;
  readonly after: string;
}

type Run = (site: Site, options: AuthenticateOptions) => Promise<unknown>;

const unattended = (options: AuthenticateOptions) => ({ ...options, interactive: false });
const byCode: Run = (site, options) => new DeviceFlow(site.target, options).getDeviceCode();
const byBrowser: Run = (site, options) => authenticate(site.target, { ...options, flow: "code" });
const bySignedAnswer: Run = (site, options) => authenticate(site.signed, { ...options, flow: "code" });

/** What a program calls to come to a request, and what it finds in its store. */
const CALLS: Readonly<Record<RequestName, { run: Run; stored?: "expired" | "good" }>> = {
  discovery: { run: byCode },
  device: { run: byCode },
  poll: { run: (site, options) => authenticate(site.target, { ...options, flow: "device" }) },
  login: { run: byBrowser },
  "auth-ports": { run: byBrowser },
  exchange: { run: byBrowser },
  refresh: { run: (site, options) => authenticate(site.target, unattended(options)), stored: "expired" },
  userinfo: { run: (site, options) => userinfo(site.target, unattended(options)), stored: "good" },
  "key set": { run: bySignedAnswer },
};

/** Makes a call, with a person at hand who allows what they are shown, and a clock that pauses set forward. */
export async function makeCall(call: Call): Promise<Called> {
  const { run, stored } = CALLS[call.by];
  const { target } = call.site;
  const events: AuthEvent[] = [];
  const sentences: string[] = [];
  let offset = 0;
  const now = () => Date.now() + offset;
  // A folder of its own, as documents are kept beside the store.
  const path = join(mkdtempSync(join(call.folder, "call-")), "store.json");
  const store = new TokenStore({ path, now });
  countCall();
  const login = stored && (await storeLogin(target, store, stored));
  const options: AuthenticateOptions = {
    ...{ store, now, fetch: call.fetch, requestTimeout: call.requestTimeout },
    env: {},
    interactive: true,
    openBrowser: false,
    ui: {
      show: async (step) => {
        if (step.type === "device") await approveDevice(step.code.uri);
        // Where the login fails, so does the page that the person sees at the end.
        if (step.type === "code") {
          void completeLogin(step.url, { redirectUri: step.redirectUri }).catch(() => {});
        }
      },
    },
    onEvent: (event) => events.push(event),
    explain: (sentence) => sentences.push(sentence),
    sleep: async (ms) => {
      offset += ms;
    },
  };
  const before = contentOf(path);
  if (call.request === "discovery") forgetAllDocuments();
  const start = performance.now();
  const outcome = await run(call.site, options).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const tookMs = performance.now() - start;
  const told = [...sentences, JSON.stringify(events)].join("\n");
  return { ...outcome, login, tookMs, events, told, before, after: contentOf(path) };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
