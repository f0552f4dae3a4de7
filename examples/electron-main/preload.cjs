// What the page may ask the main process, and no more: `await window.example.login()`.
const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("example", {
  login: () => ipcRenderer.invoke("login"),
  cancel: () => ipcRenderer.invoke("cancel"),
  whoami: () => ipcRenderer.invoke("whoami"),
  logout: () => ipcRenderer.invoke("logout"),
  /** Tells the page what to show of a login: `{ type: "device", link, userCode }`, … */
  onLogin: (listener) => ipcRenderer.on("login", (_event, step) => listener(step)),
});
