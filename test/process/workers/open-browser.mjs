// Opens an address as the library does: `open-browser.mjs MODULE ADDRESS [PLATFORM]`, the address as a text in JSON.
const [, , module, json, platform = process.platform] = process.argv;
Object.defineProperty(process, "platform", { value: platform });
const { openBrowser } = await import(module);
await openBrowser(true, JSON.parse(json), new AbortController().signal).then(
  () => console.log("asked"),
  (error) => console.log(`${error.name} ${error.code}`),
);
