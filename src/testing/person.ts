/** A person without a browser, who clicks through the real pages. */

/** Who logs in, and how they decide. */
export interface PersonOptions {
  /** Who they sign in as. Default `alice`. */
  name?: string | undefined;
  /** Denies instead of allowing. Default false. */
  deny?: boolean | undefined;
  /** Ends their clicking. */
  signal?: AbortSignal | undefined;
}

/** What a program shows to a person who opens the address and types the code. */
export interface ShownCode {
  /** Where they go. */
  readonly verificationUri: string | URL;
  /** What they type there. */
  readonly userCode: string;
}

/** Options of {@link approveDevice}. */
export interface ApproveDeviceOptions extends PersonOptions {
  /** The server that gave the code, where only that is known; `server.approveDevice(userCode)` is the same. */
  server?: { readonly issuer: string } | undefined;
}

/** Options of {@link completeLogin}. */
export interface CompleteLoginOptions extends PersonOptions {
  /** Where the login ends, where the address does not say it (RFC 9126). */
  redirectUri?: string | undefined;
  /** Whether the browser also opens the address it is sent back to. Default true. */
  visitCallback?: boolean | undefined;
}

interface Form {
  readonly action: string;
  readonly fields: URLSearchParams;
}

interface Typed extends PersonOptions {
  /** For the page that asks for it. */
  readonly userCode?: string | undefined;
}

/** More pages than any login has: something goes round in circles. */
const MAX_PAGES = 20;

/**
 * Does what a person does with a device code (RFC 8628 §3.3): opens the link, or types the code, signs in, and allows or
 * denies it.
 *
 * @param target what the program shows: the link that holds the code, or the code and where it is to be typed; a bare
 *   code with `{ server }`
 * @throws Error where the login ends at another page than it should, such as one that says that the code is not valid
 */
export async function approveDevice(
  target: string | URL | ShownCode,
  options: ApproveDeviceOptions = {},
): Promise<void> {
  const { server, ...person } = options;
  const { link, userCode } = shown(target, server?.issuer);
  const end = await clickThrough(link, { ...person, userCode }, () => false);
  const expected = person.deny ? /you denied access/i : /you are signed in/i;
  if (!expected.test(end.page))
    throw new Error(`The device login ended at an unexpected page: ${textOf(end.page)}`);
}

/** Where a person goes with what they are shown, and what they type there. */
function shown(
  target: string | URL | ShownCode,
  issuer: string | undefined,
): { link: URL; userCode?: string } {
  if (typeof target === "object" && !(target instanceof URL))
    return { link: new URL(target.verificationUri), userCode: target.userCode };
  if (URL.canParse(String(target))) return { link: new URL(target) };
  if (issuer === undefined)
    throw new Error("A bare code belongs to a server: server.approveDevice(code), or { server }.");
  return { link: new URL(`${issuer}/device`), userCode: String(target) };
}

/**
 * Opens a login page, signs in, and allows or denies it: the browser of a code flow, without one.
 *
 * @returns the address that the browser is sent back to, with `code` or `error`
 * @throws Error where the login ends at another page
 */
export async function completeLogin(
  authorizationUrl: string | URL,
  options: CompleteLoginOptions = {},
): Promise<URL> {
  const start = new URL(authorizationUrl);
  const back = new URL(
    options.redirectUri ?? start.searchParams.get("redirect_uri") ?? "http://localhost/callback",
  );
  const isBack = (url: URL) => url.origin === back.origin && url.pathname === back.pathname;
  const { url, page } = await clickThrough(start, options, isBack);
  if (!isBack(url)) throw new Error(`The login ended at an unexpected page: ${textOf(page)}`);
  if (options.visitCallback ?? true) {
    await (await open(url, {}, options)).text();
  }
  return url;
}

/** Follows redirects and submits forms until there is neither, or `stop` says so before an address is opened. */
async function clickThrough(
  start: URL,
  options: Typed,
  stop: (url: URL) => boolean,
): Promise<{ url: URL; page: string }> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | null = null;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    if (stop(url)) return { url, page: "" };
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const answer = await open(url, { method: form ? "POST" : "GET", body: form, headers }, options);
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name) cookies.set(name, value ?? "");
    }
    const location = answer.headers.get("location");
    const page = await answer.text();
    if (location !== null) {
      url = new URL(location, url);
      form = null;
      continue;
    }
    const next = formToSubmit(page, options);
    if (!next) return { url, page };
    url = new URL(next.action, url);
    form = next.fields;
  }
  throw new Error("The login goes round in circles.");
}

async function open(url: URL, init: RequestInit, { signal }: PersonOptions): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: "manual", signal: signal ?? null });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Error(`The person's browser cannot open ${url.origin}${url.pathname}`, { cause });
  }
}

/** The form that a person would submit: the first, or the one that denies. */
function formToSubmit(
  page: string,
  { name = "alice", deny = false, userCode = "" }: Typed,
): Form | undefined {
  const forms = [...page.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag = "", body = ""]) => {
    const fields = new URLSearchParams();
    for (const [input] of body.matchAll(/<input[^>]*>/g)) {
      const field = attribute(input, "name");
      const written = attribute(input, "value");
      if (field === "login") fields.set(field, name);
      else if (field) fields.set(field, written ?? (field === "user_code" ? userCode : ""));
    }
    return { action: attribute(tag, "action") ?? "", id: attribute(tag, "id"), fields, body };
  });
  // A page that shows the code anew with a complaint is an end, not a form to fill in again.
  const form = forms[0];
  if (!form || /not valid \(any more\)/.test(page)) return undefined;
  if (!deny) return form;
  const buttons = [...page.matchAll(/<button[^>]*>/g)].map(([button]) => button);
  const denying = buttons.find((button) => /name="(deny|abort)"/.test(button));
  if (!denying) return form;
  const byId = attribute(denying, "form");
  const owner = forms.find((one) => (byId ? one.id === byId : one.body.includes(denying))) ?? form;
  const fields = new URLSearchParams(owner.fields);
  fields.delete("confirm");
  fields.set(attribute(denying, "name") ?? "", attribute(denying, "value") ?? "");
  return { action: owner.action, fields };
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))).replaceAll("&amp;", "&");
}

function textOf(page: string): string {
  return page
    .replace(/<style[\s\S]*?<\/style>|<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 200);
}
