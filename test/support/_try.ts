import { launchBrowser } from "./browser.js";

const b = await launchBrowser();
const p = await b.newPage();
await p.setContent("<h1>hi</h1>");
console.log(b.version(), await p.textContent("h1"));
await p.context().close();
const p2 = await b.newPage();
console.log(await p2.evaluate("1+1"));
await b.close();
