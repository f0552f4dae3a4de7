import { statSync } from "node:fs";
import { createServer } from "node:net";
import { isatty } from "node:tty";
import { createAuthenticator } from "../../authenticate.js";
import type { AuthEvent } from "../../context.js";
import { detectEnvironment } from "../../environment.js";
import { AuthError } from "../../errors.js";
import type { Session } from "../../flows/session.js";
import { foreignMessage } from "../../foreign-error.js";
import { redirectUriOn } from "../../settings/redirect-uri.js";
import { type Danger, dangersOf } from "../../store/file-dangers.js";
import type { TokenStore } from "../../store/token-store.js";
import type { Resolved } from "../target.js";

/** One line of a diagnosis. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warn" | "fail";
  readonly what: string;
  /** What to do. */
  readonly remedy?: string;
}

const ok = (check: string, what: string): Finding => ({ check, state: "ok", what });
const warn = (check: string, what: string, remedy: string): Finding => ({
  check,
  state: "warn",
  what,
  remedy,
});

/** What failed, as the error says it. */
function failed(check: string, error: unknown): Finding {
  const { message, hint } =
    error instanceof AuthError ? error : new AuthError("request_failed", foreignMessage(error));
  return { check, state: "fail", what: message, remedy: hint };
}

/** Whether logins can be read and kept, and by nobody else. */
export async function checkStore(store: TokenStore): Promise<Finding[]> {
  const where = store.path ?? store.backend.description;
  const findings: Finding[] = [];
  try {
    const hosts = await store.hosts();
    findings.push(ok("store", `${where} holds ${hosts.length} login${hosts.length === 1 ? "" : "s"}`));
  } catch (error) {
    return [failed("store", error)];
  }
  try {
    await store.backend.assertWritable();
    findings.push(ok("store-writable", "a new login can be kept there"));
  } catch (error) {
    findings.push(failed("store-writable", error));
  }
  if (store.path !== undefined && process.platform !== "win32") findings.push(...checkPrivate(store.path));
  return findings;
}

function checkPrivate(path: string): Finding[] {
  const found = statSync(path, { throwIfNoEntry: false });
  const dangers = found ? dangersOf(path, found) : [];
  if (dangers.length === 0) return [ok("store-private", "it is open to nobody else")];
  return dangers.map((danger) => warn("store-private", ...adviceOn(path, danger)));
}

function adviceOn(path: string, danger: Danger): [what: string, remedy: string] {
  if (danger.kind === "open") return [`${path} is open to others`, `chmod 600 ${path}`];
  if (danger.kind === "replaceable") {
    return [`others may replace it: they may write to ${danger.folder}`, `chmod go-w ${danger.folder}`];
  }
  return [
    `${path} belongs to another user (uid ${danger.uid})`,
    "name a file of your own: OIDC_TOKEN_FILE, or --store",
  ];
}

/** Whether the server can be reached, what it offers, and whether its clock fits. */
export async function checkServer({ target, options }: Resolved): Promise<Finding[]> {
  const findings: Finding[] = [];
  const warnings: string[] = [];
  const onEvent = (event: AuthEvent) => void (event.type === "warning" && warnings.push(event.message));
  const { flow: _flow, ...rest } = options;
  const { session } = createAuthenticator(target, { ...rest, onEvent });
  try {
    findings.push(...(await checkOffers(session)));
  } catch (error) {
    // Whoever ends us gets no diagnosis: least of all one that blames the server.
    if (options.signal?.aborted) throw error;
    return [...findings, failed("server", error)];
  }
  const clock = warnings[0]
    ? warn("clock", warnings[0], "sudo timedatectl set-ntp true, or ask who runs this machine")
    : ok("clock", "this machine's clock fits the server's");
  return [...findings, clock];
}

/** @throws AuthError where it cannot be reached, or has no way to log in at all: then it is not what it was taken for */
async function checkOffers({ config, context, server: open, options }: Session): Promise<Finding[]> {
  const { signal } = options;
  const isIssuer = config.settings.kind === "issuer";
  const server = await open(signal);
  const noDevice = await errorOf(server.beginDevice(context, signal));
  if (noDevice && noDevice.code !== "device_flow_unsupported") throw noDevice;
  const { uri, ports } = await server.redirects(context, signal);
  // A provider's document tells; whether there is a route is known when it is asked.
  const noCode = isIssuer
    ? undefined
    : await errorOf(server.beginCode(redirectUriOn(uri, ports[0] ?? 0), context, signal));
  if (noDevice && noCode) throw noCode;
  const hasCode = isIssuer ? await server.hasCodeFlow(context, signal) : noCode?.status !== 404;
  return [
    ok(
      "server",
      `${config.host} ${isIssuer ? "answers, with its discovery document" : "is one with the py-oidc-auth routes"}`,
    ),
    checkCode(hasCode, noCode),
    noDevice
      ? warn(
          "device-flow",
          "it has no device flow",
          "where no browser opens, forward the port or paste the address: use --flow code",
        )
      : ok("device-flow", "it gives codes for the login on another device"),
    await checkPorts(uri, ports),
  ];
}

function checkCode(offered: boolean, error: AuthError | undefined): Finding {
  if (!offered) return warn("code-flow", "it has no login page for the browser", "use --flow device");
  return error ? failed("code-flow", error) : ok("code-flow", "it has a login page for the browser");
}

/** The error that something ends with, where it is one of ours. */
async function errorOf(work: Promise<unknown>): Promise<AuthError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}

async function checkPorts(uri: string, ports: readonly number[]): Promise<Finding> {
  if (ports[0] === 0) return ok("ports", `the browser may come back to any free port (${uri})`);
  const free: number[] = [];
  for (const port of ports) if (await isFree(port)) free.push(port);
  const all = ports.join(", ");
  if (free.length > 0) return ok("ports", `of the ports ${all} there are ${free.length} free`);
  return {
    check: "ports",
    state: "fail",
    what: `none of the ports ${all} is free`,
    remedy: "close the program that holds them, or name others with --ports",
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether a person can be reached from here, and how. */
export async function checkMachine(
  env: Readonly<Record<string, string | undefined>>,
  resolved: Resolved | undefined,
): Promise<Finding[]> {
  const facts = { env, platform: process.platform, stdinIsTty: isatty(0), stderrIsTty: isatty(2) };
  const { interactive, reason, browser, ssh } = detectEnvironment(facts, resolved?.options.interactive);
  const proxy = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].find((name) => env[name]);
  return [
    interactive
      ? ok("person", `somebody can log in here: ${reason}`)
      : warn(
          "person",
          `nobody can log in here: ${reason}`,
          "log in at a terminal that sees the same store, or set INTERACTIVE_SESSION=1",
        ),
    browser
      ? ok("browser", "a browser can be expected in front of the person")
      : warn(
          "browser",
          ssh
            ? "the person sits behind SSH: no browser is opened here"
            : "there is no display: no browser is opened here",
          "the login shows a code for another device, or an address to open elsewhere",
        ),
    ok(
      "network",
      proxy ? `requests go through the proxy that ${proxy} names` : "requests go straight to the server",
    ),
    ok("node", `Node ${process.versions.node}`),
  ];
}
