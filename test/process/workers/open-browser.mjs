// Opens an address as the library does: `open-browser.mjs MODULE ADDRESS`, the address as a text in JSON.
const [, , module, json] = process.argv;
const { openBrowser } = await import(module);
await openBrowser(true, JSON.parse(json), new AbortController().signal).then(
  () => console.log("asked"),
  (error) => console.log(`${error.name} ${error.code}`),
);
