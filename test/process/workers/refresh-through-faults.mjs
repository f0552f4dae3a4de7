// Renews a login once for each script that is named, prints what came of it, and ends when nothing keeps it.
import { DeviceFlow } from "../../../dist/index.js";

const [host, count] = process.argv.slice(2);
for (let number = 0; number < Number(count); number++) {
  const fetch = (url, init) => {
    const headers = new Headers(init.headers);
    headers.set("x-script", `fault${number}`);
    return globalThis.fetch(url, { ...init, headers });
  };
  const flow = new DeviceFlow(host, { fetch, requestTimeout: 0.5, sleep: async () => {} });
  const outcome = await flow.refresh("a-refresh-token").then(
    () => "token",
    (error) => error.code ?? String(error),
  );
  process.stdout.write(`${number} ${outcome}\n`);
}
process.stdout.write("done\n");
