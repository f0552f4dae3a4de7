// Stands in for the module `electron` in a main process: what it does with windows and the system goes to the test by IPC.
import { EventEmitter } from "node:events";

const handlers = new Map();
const events = new EventEmitter();
let ready;
const whenReady = new Promise((resolve) => {
  ready = resolve;
});

process.on("message", async ({ id, channel, quit }) => {
  if (quit) app.quit();
  else process.send({ id, answer: await handlers.get(channel)({}) });
});

/** Electron is ready when its entry has been run, and not before. */
export const becomeReady = () => ready();

export const app = {
  whenReady: () => whenReady,
  requestSingleInstanceLock: () => true,
  getPath: () => process.env.USER_DATA,
  on: (event, listener) => events.on(event, listener),
  quit() {
    events.emit("before-quit");
    process.disconnect();
  },
};

export class BrowserWindow {
  webContents = { send: (channel, message) => process.send({ channel, message }) };
  #preload;
  constructor({ webPreferences }) {
    this.#preload = webPreferences.preload;
  }
  async loadFile(page) {
    process.send({ page, preload: this.#preload });
  }
  isDestroyed() {
    return false;
  }
}

export const ipcMain = { handle: (channel, listener) => handlers.set(channel, listener) };

/** The keychain's: not readable as text. */
const turn = (bytes) => Buffer.from(bytes).map((byte) => byte ^ 0xa5);
export const safeStorage = {
  isEncryptionAvailable: () => process.env.NO_KEYCHAIN === undefined,
  encryptString: (text) => turn(text),
  decryptString: (sealed) => turn(sealed).toString(),
};

export const shell = { openExternal: async (url) => void process.send({ opened: url }) };
