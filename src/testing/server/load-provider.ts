import type { Configuration } from "oidc-provider";
import { AuthError } from "../../errors.js";

export type ProviderInstance = InstanceType<typeof import("oidc-provider")["default"]>;

let loading: Promise<typeof import("oidc-provider")> | undefined;

/**
 * Loads the provider's package, once for all servers that start at the same time, as the console is changed meanwhile.
 *
 * @throws AuthError `not_supported` where it is not installed
 */
export async function loadProvider(): Promise<typeof import("oidc-provider")> {
  loading ??= withoutAdvice(() => import("oidc-provider"));
  try {
    return await loading;
  } catch (error) {
    const install = "npm install --save-dev oidc-provider";
    // Test runners print the message, not the hint.
    throw new AuthError(
      "not_supported",
      `The package oidc-provider cannot be loaded. Install it: ${install}`,
      {
        cause: error,
        hint: install,
      },
    );
  }
}

export async function makeProvider(issuer: string, settings: Configuration): Promise<ProviderInstance> {
  const { default: Provider } = await loadProvider();
  return withoutAdvice(() => new Provider(issuer, settings));
}

/** Leaves out the package's advice on running it for real: this is a demo, in memory on purpose. */
function withoutAdvice<T>(work: () => T): T {
  const { warn, info } = console;
  const except =
    (print: typeof console.warn): typeof console.warn =>
    (...words) => {
      if (!String(words[0]).includes("oidc-provider ")) print(...words);
    };
  const restore = () => void Object.assign(console, { warn, info });
  Object.assign(console, { warn: except(warn), info: except(info) });
  let result: T | undefined;
  try {
    result = work();
  } finally {
    if (result instanceof Promise) result.then(restore, restore);
    else restore();
  }
  return result;
}
