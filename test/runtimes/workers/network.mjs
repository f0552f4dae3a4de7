// Asks an address with an authority and a client certificate of one's own, and prints the answer.
import { openNetwork } from "../../../dist/network.js";

const [url, caFile, certFile, keyFile] = process.argv.slice(2);
const fetch = await openNetwork({ proxy: false, caFile, certFile, keyFile }, {});
console.log(await (await fetch(url)).text());
