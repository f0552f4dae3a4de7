// A program as a user writes it: logs in by device code, and renews the login an hour later by its own clock. With
// `reuse` it only takes what is stored by then.
import { authenticate, TokenStore } from "../../../dist/index.js";

const [host, path, what] = process.argv.slice(2);
const store = new TokenStore({ path });
const ui = { show: (step) => step.type === "device" && console.log(`open ${step.code.uri}`) };
const later = () => Date.now() + 3_600_000;
const stored = (options = {}) => authenticate(host, { store, interactive: false, ...options });
const tokens =
  what === "reuse"
    ? [await stored({ now: later })]
    : [
        await authenticate(host, { store, ui, interactive: true }),
        await stored(),
        await stored({ now: later }),
      ];
console.log(`tokens ${tokens.map((token) => token.accessToken).join(" ")}`);
