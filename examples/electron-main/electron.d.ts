// What this example uses of Electron. Remove this file where electron is installed: it has its own types.
declare module "electron" {
  export const app: {
    whenReady(): Promise<void>;
    requestSingleInstanceLock(): boolean;
    getPath(name: "userData"): string;
    on(event: "window-all-closed" | "before-quit", listener: () => void): void;
    quit(): void;
  };
  export class BrowserWindow {
    constructor(options: { width: number; height: number; webPreferences: { preload: string } });
    readonly webContents: { send(channel: string, ...args: unknown[]): void };
    loadFile(path: string): Promise<void>;
    isDestroyed(): boolean;
  }
  export const ipcMain: {
    handle(channel: string, listener: (event: unknown, ...args: unknown[]) => unknown): void;
  };
  export const safeStorage: {
    isEncryptionAvailable(): boolean;
    encryptString(text: string): Buffer;
    decryptString(encrypted: Buffer): string;
  };
  export const shell: { openExternal(url: string): Promise<void> };
}
