// The main process of a desktop program: it has the tokens, shows the login in its window and calls the API; the page in
// the window never sees a token. (Our CI has no display: it runs this very file with a stand-in for the module electron.)
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { app, BrowserWindow, ipcMain, safeStorage, shell } from "electron";
import {
  AuthError,
  type AuthenticateOptions,
  authenticate,
  createAuthFetch,
  type LoginStep,
  logout,
  TokenStore,
} from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";

/** The key that seals the token file: made once, and itself sealed by the system's keychain. */
async function storeKey(): Promise<string> {
  const file = join(app.getPath("userData"), "store-key");
  if (!safeStorage.isEncryptionAvailable()) throw new Error("There is no keychain to keep the key in.");
  const sealed = await readFile(file).catch(() => undefined);
  if (sealed) return safeStorage.decryptString(sealed);
  const key = randomBytes(32).toString("base64");
  await writeFile(file, safeStorage.encryptString(key), { mode: 0o600, flag: "wx" });
  return key;
}

/** What the page needs of a step to show it, and no more. */
function forThePage(step: LoginStep): object | undefined {
  if (step.type === "code") return { type: "browser", link: step.url };
  if (step.type === "device") return { type: "device", link: step.code.uri, userCode: step.code.userCode };
  if (step.type === "failed" || step.type === "notice") return step;
  return step.type === "done" ? { type: "done" } : undefined;
}

async function start(): Promise<void> {
  const window = new BrowserWindow({
    width: 900,
    height: 600,
    webPreferences: { preload: join(import.meta.dirname, "preload.cjs") },
  });
  const tell = (channel: string, message: unknown) => {
    if (!window.isDestroyed()) window.webContents.send(channel, message);
  };

  let giveUp: (() => void) | undefined;
  const quitting = new AbortController();
  const options: AuthenticateOptions = {
    store: new TokenStore({ path: join(app.getPath("userData"), "tokens.json"), encryptionKey: storeKey }),
    signal: quitting.signal,
    flow: "code",
    openBrowser: (url) => shell.openExternal(url),
    ui: {
      show: (step) => {
        const shown = forThePage(step);
        if (shown) tell("login", shown);
      },
      waiting: (_until, actions) => {
        giveUp = actions.giveUp;
        return () => {
          giveUp = undefined;
        };
      },
    },
    loopbackPages: { productName: "Example" },
  };

  // The page may only ask for these: errors go to it as text, with what to do next.
  const handle = (channel: string, work: () => Promise<unknown>) =>
    ipcMain.handle(channel, async () => {
      try {
        return { result: await work() };
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        return { error: { code: error.code, message: error.message, hint: error.hint } };
      }
    });
  const authFetch = createAuthFetch(host, options);
  handle("login", async () => ({ until: (await authenticate(host, options)).expiresAt }));
  handle("cancel", async () => giveUp?.());
  handle("whoami", async () => (await authFetch(`${host}/me`)).json());
  handle("logout", async () => (await logout(host, options)).removed);

  app.on("before-quit", () => quitting.abort());
  app.on("window-all-closed", () => app.quit());
  await window.loadFile(join(import.meta.dirname, "index.html"));
}

// A second instance would show a second login. Electron is ready only when this file has been run: no `await` here.
if (app.requestSingleInstanceLock()) void app.whenReady().then(start);
else app.quit();
