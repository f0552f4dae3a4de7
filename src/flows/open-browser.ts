import { AuthError } from "../errors.js";
import type { BrowserOpener } from "../options.js";

/**
 * Opens a URL in front of the person. Only http(s) is ever handed to the system.
 *
 * @throws AuthError `request_failed` where no browser could be started
 */
export async function openBrowser(opener: BrowserOpener, url: string, signal: AbortSignal): Promise<void> {
  const { protocol, href } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") {
    throw new AuthError(
      "invalid_response",
      "The server named an address that is not http(s): it is not opened.",
    );
  }
  if (typeof opener === "function") {
    await opener(href, signal);
    return;
  }
  const { default: open } = await import("open");
  const program = await open(href);
  // Without a listener, a missing program would end this process.
  program.on("error", () => {});
  program.unref();
}
