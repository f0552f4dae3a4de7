import { createHash } from "node:crypto";
import { cleanText } from "../text.js";

/** What the browser shows at the end of a login. Its text may come from anywhere: it is cleaned and escaped here. */
export interface LoopbackPage {
  readonly kind: "success" | "denied" | "error" | "ignored";
  readonly title: string;
  readonly message: string;
  /** A line set apart below the message: what to do next. */
  readonly detail?: string;
}

/** What the embedding program adds to the pages. */
export interface LoopbackLook {
  /** Name of the product, shown above the outcome. */
  readonly productName?: string | undefined;
  /** A picture as a `data:` URL (PNG, JPEG, GIF, WebP or SVG in base64). Nothing is loaded from elsewhere. */
  readonly logo?: string | undefined;
}

/** The login worked. @param who as whom, where that is known */
export function success(server: string, who?: string): LoopbackPage {
  return {
    kind: "success",
    title: "You are logged in",
    message: `The program that asked can now use ${server} ${who === undefined ? "in your name" : `as ${who}`}.`,
  };
}

/** The person, or the provider, said no. */
export function denied(server: string): LoopbackPage {
  return {
    kind: "denied",
    title: "Access was not allowed",
    message: `The request to log in to ${server} was turned down. Nobody was logged in.`,
    detail: "If you did not mean to do this, start the login again and allow access.",
  };
}

/** The login did not work, for the reason given. */
export function failed(server: string, message: string, hint?: string): LoopbackPage {
  return {
    kind: "error",
    title: "The login did not work",
    message: `You are not logged in to ${server}. ${message}`,
    ...(hint === undefined ? {} : { detail: hint }),
  };
}

/** The request is not the answer to our login: a stale tab, a guess, a scanner. */
export function ignored(): LoopbackPage {
  return {
    kind: "ignored",
    title: "Nothing to do here",
    message: "This address belongs to no login that is under way. Nothing was changed.",
    detail: "If you were about to log in, use the newest link that your program shows.",
  };
}

/** We failed to take the answer. */
export function broken(): LoopbackPage {
  return {
    kind: "error",
    title: "Something went wrong",
    message: "The program that waits for this answer could not take it.",
    detail: "Look there for the reason, then start the login again.",
  };
}

/** The page as HTML: one file without script or any other resource. */
export function renderPage(page: LoopbackPage, { productName, logo }: LoopbackLook = {}): string {
  const picture = logo === undefined ? "" : `<img src="${safe(logo, logo.length)}" alt="" height="48">\n`;
  const product = productName === undefined ? "" : `<p class="product">${safe(productName, 80)}</p>\n`;
  const title = safe(page.title, 100);
  const detail = page.detail === undefined ? "" : `\n<p class="detail">${safe(page.detail, 400)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${page.kind}">
${picture}${product}<svg viewBox="0 0 64 64" width="64" height="64" aria-hidden="true" focusable="false"><circle cx="32" cy="32" r="32"/><path d="${MARKS[page.kind]}"/></svg>
<h1>${title}</h1>
<p>${safe(page.message, 500)}</p>${detail}
<p class="close">${CLOSE[page.kind]}</p>
</main>
</body>
</html>
`;
}

const CLOSE: Record<LoopbackPage["kind"], string> = {
  success: "You can close this tab and go back to the terminal or program that you came from.",
  denied: "You can close this tab and go back to the terminal or program that you came from.",
  error: "You can close this tab and go back to the terminal or program that you came from.",
  ignored: "You can close this tab.",
};

/** One stroke each: a tick, a bar, an exclamation mark, an i. */
const MARKS: Record<LoopbackPage["kind"], string> = {
  success: "M20 33.5l8.5 8.5L45 24.5",
  denied: "M21 32h22",
  error: "M32 19v16M32 44.5v.01",
  ignored: "M32 30v15M32 19.5v.01",
};

const STYLE = `
:root{color-scheme:light dark;--back:#f3f5f8;--card:#fff;--edge:#e0e5ec;--text:#17202e;--soft:#56627a;--well:#f4f6f9;--shade:0 1px 2px rgb(23 32 46/.05),0 12px 32px rgb(23 32 46/.08)}
.success{--mark:#14794a;--tint:#def3e7}
.denied{--mark:#8a5a00;--tint:#fbefd3}
.error{--mark:#b3261e;--tint:#fbe4e2}
.ignored{--mark:#3f5675;--tint:#e5ebf3}
@media (prefers-color-scheme:dark){
:root{--back:#10141b;--card:#181e28;--edge:#2a3341;--text:#eef2f8;--soft:#a6b2c5;--well:#202835;--shade:0 12px 32px rgb(0 0 0/.35)}
.success{--mark:#6fdda4;--tint:#17382a}
.denied{--mark:#f1c265;--tint:#3b301a}
.error{--mark:#ff9c94;--tint:#432322}
.ignored{--mark:#a9c1e2;--tint:#26334a}
}
*{box-sizing:border-box}
html{height:100%;-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100%;display:grid;place-items:center;padding:24px 16px;background:var(--back);color:var(--text);font:17px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Open Sans",sans-serif}
main{width:100%;max-width:464px;min-width:0;padding:44px 40px 32px;border:1px solid var(--edge);border-radius:20px;background:var(--card);box-shadow:var(--shade);text-align:center;overflow-wrap:anywhere}
svg{display:block;margin:0 auto 24px}
circle{fill:var(--tint)}
path{fill:none;stroke:var(--mark);stroke-width:4.5;stroke-linecap:round;stroke-linejoin:round}
h1{margin:0 0 12px;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
p{margin:0;text-wrap:pretty}
img{display:block;max-width:100%;height:48px;margin:0 auto 16px}
.product{margin-bottom:20px;color:var(--soft);font-weight:600}
.detail{margin-top:20px;padding:14px 18px;border-radius:12px;background:var(--well);font-size:16px}
.close{margin-top:28px;padding-top:20px;border-top:1px solid var(--edge);color:var(--soft);font-size:15px}
@media (max-width:480px){main{padding:36px 24px 26px;border-radius:16px}h1{font-size:23px}}
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** The Content-Security-Policy of every page: nothing may be loaded or run; the one style block is named by its hash. */
export const PAGE_CSP = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** What every answer carries, beside its length. A logo stands in the page itself, and needs no more leave than that. */
export function pageHeaders({ logo }: LoopbackLook = {}): Record<string, string> {
  const policy = logo === undefined ? PAGE_CSP : `${PAGE_CSP}; img-src data:`;
  return { ...PAGE_HEADERS, "Content-Security-Policy": policy };
}

const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  Connection: "close",
} as const;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function safe(text: string, length: number): string {
  return cleanText(text, length).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
