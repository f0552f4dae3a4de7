import { publish } from "../debug/channel.js";
import { maskedUrl } from "../debug/masked.js";
import { AuthError } from "../errors.js";
import type { BrowserOpener } from "../options.js";
import { httpUrl } from "../settings/address.js";

/**
 * Opens a URL in front of the person. Only http(s) is ever handed to the system, in its normal form: that is ASCII, and
 * begins with its scheme.
 *
 * @throws AuthError `request_failed` where no browser could be started
 */
export async function openBrowser(opener: BrowserOpener, url: string, signal: AbortSignal): Promise<void> {
  const href = httpUrl(url)?.href;
  if (href === undefined) {
    throw new AuthError(
      "invalid_response",
      "The server named an address that is not http(s), or is too long: it is not opened.",
    );
  }
  publish(() => ({ type: "login", step: "browser", url: maskedUrl(href) }));
  if (typeof opener === "function") {
    await opener(href, signal);
    return;
  }
  const { default: open } = await import("open");
  const program = await open(href).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "for an unknown reason";
    throw new AuthError("request_failed", `No browser could be started: ${reason}.`, {
      hint: "Open the address yourself.",
      cause: error,
    });
  });
  // Without a listener, a missing program would end this process.
  program.on("error", () => {});
  program.unref();
}
