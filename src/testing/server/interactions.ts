import type { RequestListener } from "node:http";
import type { Configuration } from "oidc-provider";
import { readForm, sendHtml } from "./http.js";
import type { ProviderInstance } from "./load-provider.js";
import {
  codeConfirmPage,
  codeEntryPage,
  consentPage,
  deviceDonePage,
  escapeHtml,
  loginPage,
  logoutPage,
  page,
} from "./pages.js";

/** The pages on which a person enters the code of a device. */
export const DEVICE_PAGES = {
  userCodeInputSource: (context, form, _out, error) => {
    // The provider asks for another code also where the person has just said no: that would puzzle them.
    if (error?.name === "AbortedError") {
      context.body = page(
        "You denied access",
        "<p>Your device was not connected. You can close this tab.</p>",
      );
    } else context.body = codeEntryPage(form, error ? "That code is not valid (any more)." : undefined);
  },
  userCodeConfirmSource: (context, form, _client, _device, userCode) => {
    context.body = codeConfirmPage(form, userCode);
  },
  successSource: (context) => {
    context.body = deviceDonePage();
  },
} satisfies NonNullable<Configuration["features"]>["deviceFlow"];

/** The pages on which a person ends their session at the provider. */
export const LOGOUT_PAGES = {
  logoutSource: (context, form) => {
    context.body = logoutPage(form);
  },
  postLogoutSuccessSource: (context) => {
    context.body = page("You are signed out", "<p>You can close this tab.</p>");
  },
} satisfies NonNullable<Configuration["features"]>["rpInitiatedLogout"];

export function problemPage(problem: string): string {
  return page("That did not work", `<p>${escapeHtml(problem)}</p>`);
}

/** The login and consent pages, and what their forms do: any name gets in. */
export function interactionPages(
  provider: ProviderInstance,
): (...[request, response]: Parameters<RequestListener>) => Promise<void> {
  return async (request, response) => {
    try {
      const details = await provider.interactionDetails(request, response);
      const here = `/interaction/${details.uid}`;
      const asked = String(details.params["scope"] ?? "").split(" ");
      if (request.method === "GET") {
        sendHtml(response, 200, details.prompt.name === "login" ? loginPage(here) : consentPage(here, asked));
        return;
      }
      const form = await readForm(request);
      const finish = (result: Parameters<typeof provider.interactionFinished>[2]) =>
        provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
      if (request.url?.endsWith("/login")) {
        await finish({ login: { accountId: form.get("login") || "alice" } });
      } else if (request.url?.endsWith("/abort")) {
        await finish({ error: "access_denied", error_description: "The person denied access." });
      } else {
        const known = details.grantId ? await provider.Grant.find(details.grantId) : undefined;
        const accountId = details.session?.accountId ?? "";
        const clientId = String(details.params["client_id"]);
        const grant = known ?? new provider.Grant({ accountId, clientId });
        grant.addOIDCScope(asked.join(" "));
        const ofApis = details.prompt.details["missingResourceScopes"] ?? {};
        for (const [api, scopes] of Object.entries(ofApis))
          grant.addResourceScope(api, (scopes as string[]).join(" "));
        await finish({ consent: { grantId: await grant.save() } });
      }
    } catch (error) {
      sendHtml(response, 400, problemPage(error instanceof Error ? error.name : "Error"));
    }
  };
}
