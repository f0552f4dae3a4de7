// Logs a person in, whose display is this program's output: `link ADDRESS`, then `token HEADER` or `failed CODE`.
import { authenticate, TokenStore } from "../../../dist/index.js";

const [host, path, flow, force = ""] = process.argv.slice(2);
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);
const ui = {
  show(step) {
    if (step.type === "device") say("link", step.code.uri);
    if (step.type === "code") say("link", step.url);
    if (step.type === "notice" || step.type === "failed") say(step.type, step.message);
    if (step.type === "done") say("done");
  },
};
try {
  const token = await authenticate(host, {
    ...{ store: new TokenStore({ path }), ui, flow, interactive: true, openBrowser: false },
    force: force === "force",
    onEvent: ({ type }) => say("event", type),
  });
  say("token", token.headers.Authorization);
} catch (error) {
  say("failed", error.code);
}
