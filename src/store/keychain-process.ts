/**
 * One call to the system's keychain, as a program of its own: a keychain that is locked or hangs blocks the whole
 * process that asks it, and only another process can give that up. Secrets go through pipes, never through arguments.
 *
 * Usage: node keychain-process.js get|set SERVICE; prints `{ value }` or `{ error, missing }`.
 */
async function main(action: string | undefined, service: string): Promise<unknown> {
  const { AsyncEntry } = await import("@napi-rs/keyring");
  // On Linux the package would else fall back to the kernel's keyring, which forgets its keys when the machine stops.
  const entry = new AsyncEntry(service, "token-store-key", { linux: { store: "secret-service" } });
  if (action === "get") return { value: await entry.getPassword() };
  let secret = "";
  for await (const chunk of process.stdin) secret += String(chunk);
  await entry.setPassword(secret);
  return { value: null };
}

const [action, service = ""] = process.argv.slice(2);
const outcome = await main(action, service).catch((error: NodeJS.ErrnoException) => ({
  error: error.message,
  missing: error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND",
}));
process.stdout.write(JSON.stringify(outcome));
