/** The provider's pages, as a person sees them: plain forms, light and dark, nothing from elsewhere. */

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6879; --paper: #fff; --ground: #eef1f5; --main: #2456c7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf3; --soft: #9aa6b8; --paper: #1b222d; --ground: #11161e; --main: #7ea6ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 24rem; padding: 2rem; border-radius: 1rem; background: var(--paper);
  box-shadow: 0 1px 2px #0002, 0 8px 32px #0001; }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; }
p { margin: 0 0 1rem; color: var(--soft); }
code { font-size: 1.3rem; letter-spacing: .1em; color: var(--ink); }
label { display: block; margin-bottom: .3rem; font-weight: 600; }
input[type=text] { width: 100%; padding: .7rem; margin-bottom: 1rem; border: 1px solid #8888; border-radius: .5rem;
  background: transparent; color: inherit; font: inherit; }
button { width: 100%; padding: .7rem; margin-top: .5rem; border: 0; border-radius: .5rem; font: inherit;
  font-weight: 600; cursor: pointer; background: var(--main); color: var(--paper); }
button.quiet { background: transparent; color: var(--soft); border: 1px solid #8888; }
`;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`;
}

export function loginPage(action: string): string {
  return page(
    "Sign in",
    `<p>This is the demo provider: any name gets in.</p>
<form method="post" action="${escapeHtml(action)}/login">
<label for="name">Your name</label>
<input id="name" type="text" name="login" value="alice" autofocus required>
<button type="submit">Sign in</button></form>`,
  );
}

export function consentPage(action: string, scopes: readonly string[]): string {
  const list = scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join("");
  return page(
    "Allow access?",
    `<p>A program asks for access in your name:</p><ul>${list}</ul>
<form method="post" action="${escapeHtml(action)}/confirm"><button type="submit">Allow</button></form>
<form method="post" action="${escapeHtml(action)}/abort">
<button class="quiet" type="submit" name="deny" value="yes">Deny</button></form>`,
  );
}

export function codeEntryPage(form: string, problem: string | undefined): string {
  return page(
    "Connect a device",
    `<p>${escapeHtml(problem ?? "Enter the code that your device shows.")}</p>${form}
<button type="submit" form="op.deviceInputForm">Continue</button>`,
  );
}

export function codeConfirmPage(form: string, userCode: string): string {
  return page(
    "Is this your code?",
    `<p><code>${escapeHtml(userCode)}</code></p><p>Go on only if your own device shows it.</p>${form}
<button type="submit" form="op.deviceConfirmForm">Yes, continue</button>
<button class="quiet" type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No, deny it</button>`,
  );
}

export function deviceDonePage(): string {
  return page("You are signed in", "<p>Your device is connected. You can close this tab.</p>");
}

export function logoutPage(form: string): string {
  return page(
    "Sign out?",
    `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>
<button class="quiet" type="submit" form="op.logoutForm">No, stay signed in</button>`,
  );
}
