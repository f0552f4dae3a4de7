import { readFile } from "node:fs/promises";
import type { Dispatcher } from "undici/index.js";
import { AuthError } from "./errors.js";
import type { NetworkOptions } from "./options.js";
import { invalid, onlyKnown } from "./settings/checks.js";
import { cleanText } from "./text.js";

interface Tls {
  ca?: string[];
  cert?: string;
  key?: string;
  passphrase?: string;
}

/**
 * A `fetch` that goes through a proxy, trusts an extra certificate authority, shows a client certificate. Node 20's own
 * can do none of these. The same on Bun and Deno, for what network-fetch.ts says.
 *
 * @throws AuthError `invalid_config`
 */
export async function openNetwork(
  network: NetworkOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<typeof globalThis.fetch> {
  onlyKnown(network, ["proxy", "caFile", "certFile", "keyFile", "passphrase"], "network");
  // By its file: for the bare name Bun gives a stand-in of its own, which heeds no proxy and no certificate.
  const undici = await import("undici/index.js");
  const tls = await readTls(network);
  const dispatcher = dispatcherOf(undici, network.proxy, tls, env);
  // The package's own fetch: Node's may be of a version that does not understand its agents.
  const fetch = undici.fetch as unknown as (input: unknown, init: unknown) => Promise<Response>;
  return async (input, init) => {
    const [url, options] = await portable(input, init);
    try {
      return await fetch(url, { ...options, dispatcher });
    } catch (error) {
      throw proxyError(error) ?? error;
    }
  };
}

/** The package knows its own classes only: what is of Node's is put in terms that both understand. */
async function portable(
  ...[input, init = {}]: Parameters<typeof globalThis.fetch>
): Promise<[string, RequestInit]> {
  const options: RequestInit = { ...init };
  let url = String(input);
  if (input instanceof Request) {
    url = input.url;
    options.method ??= input.method;
    options.headers ??= [...input.headers];
    options.redirect ??= input.redirect;
    options.signal ??= input.signal;
    if (options.body === undefined && input.body)
      Object.assign(options, { body: input.body, duplex: "half" });
  }
  const headers = new Headers(options.headers);
  if (options.body instanceof FormData) {
    const form = new Response(options.body);
    headers.set("content-type", form.headers.get("content-type") ?? "multipart/form-data");
    options.body = await form.arrayBuffer();
  }
  return [url, { ...options, headers: [...headers] }];
}

function dispatcherOf(
  undici: typeof import("undici/index.js"),
  proxy: NetworkOptions["proxy"],
  tls: Tls,
  env: Readonly<Record<string, string | undefined>>,
): Dispatcher {
  const clientFactory = givingUp(undici);
  const either = (name: string) => env[name.toLowerCase()] || env[name] || "";
  if (proxy === false) return new undici.Agent({ connect: tls });
  if (proxy !== undefined) {
    const uri = proxyUrl("network.proxy", String(proxy));
    return new undici.ProxyAgent({
      uri,
      clientFactory,
      requestTls: tls,
      proxyTls: tls,
      ...authorization(uri),
    });
  }
  const httpProxy = either("HTTP_PROXY");
  const httpsProxy = either("HTTPS_PROXY") || httpProxy;
  if (!httpProxy && !httpsProxy) return new undici.Agent({ connect: tls });
  if (httpProxy) proxyUrl("HTTP_PROXY", httpProxy);
  if (httpsProxy) proxyUrl("HTTPS_PROXY", httpsProxy);
  return new undici.EnvHttpProxyAgent({
    httpProxy,
    httpsProxy,
    noProxy: either("NO_PROXY"),
    clientFactory,
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
  });
}

/** The proxy ended the connection instead of answering. */
class ProxyDropped extends Error {}

/**
 * Connections to a proxy. Where it drops one, `undici` takes that for a server's idle connection, and connects anew without
 * a pause and without an end, also when nobody waits any more: told as another error, it gives up.
 */
function givingUp({ Pool }: typeof import("undici")): (origin: URL, options: object) => Dispatcher {
  return (origin, options) => {
    const pool = new Pool(origin, options);
    const plain: (asked: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> =
      pool.connect.bind(pool);
    const connect = async (asked: Dispatcher.ConnectOptions) => {
      try {
        return await plain(asked);
      } catch (error) {
        throw (error as { code?: unknown }).code === "UND_ERR_SOCKET" ? new ProxyDropped() : error;
      }
    };
    return Object.assign(pool, { connect });
  };
}

/** Its value may hold a password, so that no message shows it. */
function proxyUrl(name: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url && isHttp && isDecodable(url.username) && isDecodable(url.password)) return url.href;
  throw invalid(name, "must be the URL of an HTTP proxy, such as http://proxy.example.org:3128", undefined);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

function authorization(uri: string): { token?: string } {
  const { username, password } = new URL(uri);
  if (!username) return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { token: `Basic ${Buffer.from(pair).toString("base64")}` };
}

async function readTls({ caFile, certFile, keyFile, passphrase }: NetworkOptions): Promise<Tls> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid("network.certFile and network.keyFile", "must be given together", undefined);
  }
  const tls: Tls = {};
  if (caFile !== undefined) {
    tls.ca = [...(await usualAuthorities()), await readPem("network.caFile", caFile)];
  }
  if (certFile !== undefined && keyFile !== undefined) {
    tls.cert = await readPem("network.certFile", certFile);
    tls.key = await readPem("network.keyFile", keyFile);
    if (passphrase !== undefined) tls.passphrase = passphrase;
  }
  return tls;
}

/** What Node trusts by itself: a list of one's own takes its place, and the file of `NODE_EXTRA_CA_CERTS` with it. */
async function usualAuthorities(): Promise<string[]> {
  const { rootCertificates } = await import("node:tls");
  const extra = process.env["NODE_EXTRA_CA_CERTS"];
  // Node warns of a file that cannot be read, and goes on without.
  const more = extra ? await readFile(extra, "utf8").catch(() => "") : "";
  return more ? [...rootCertificates, more] : [...rootCertificates];
}

async function readPem(field: string, path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => {
    throw invalid(field, "cannot be read", path);
  });
  if (!text.includes("-----BEGIN ")) throw invalid(field, "is not a PEM file", path);
  return text;
}

/** A proxy that refuses is not the server's fault, and people can do something about it. */
function proxyError(error: unknown): AuthError | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof ProxyDropped) {
      return new AuthError("network_error", "The proxy drops the connection.", {
        hint: "Check its address (HTTPS_PROXY), and ask who runs it; or name hosts that need no proxy in NO_PROXY.",
        unprocessed: true,
      });
    }
    const status = /Proxy response \((\d{3})\)/.exec(one.message)?.[1];
    if (status === undefined) continue;
    const refused = status === "407";
    return new AuthError(
      "network_error",
      refused
        ? "The proxy wants a name and a password, or does not accept those it got (407)."
        : `The proxy does not let us through (${cleanText(status)}).`,
      {
        status: Number(status),
        hint: refused
          ? "Put them into its address: HTTPS_PROXY=http://name:password@proxy.example.org:3128"
          : "Name hosts that need no proxy in NO_PROXY, or ask who runs the proxy.",
        unprocessed: true,
      },
    );
  }
  return undefined;
}
