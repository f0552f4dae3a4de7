import { join } from "node:path";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import type { AuthenticateOptions } from "../../src/options.js";
import type { IssuerInit, ResourceInit } from "../../src/settings/issuer.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, completeLogin, type PersonOptions } from "../../src/testing/person.js";
import type { Token } from "../../src/token.js";
import { type PersonUi, personUi } from "./person-ui.js";
import { tempFolder } from "./temp-folder.js";

export interface IssuerWorld {
  readonly target: IssuerInit | ResourceInit;
  readonly folder: string;
  readonly store: TokenStore;
  readonly events: AuthEvent[];
  readonly ui: PersonUi;
  readonly options: AuthenticateOptions;
  /** Lets this many seconds pass on this machine's clock. */
  later(seconds: number): void;
  login(more?: AuthenticateOptions): Promise<Token>;
}

/** A person at a screen with a browser who allows what they are shown, and a clock that the test moves. */
export function issuerWorld(target: IssuerInit | ResourceInit, person: PersonOptions = {}): IssuerWorld {
  const folder = tempFolder();
  const events: AuthEvent[] = [];
  let offset = 0;
  const now = () => Date.now() + offset;
  const store = new TokenStore({ path: join(folder, "store.json"), now });
  const ui = personUi((step) => {
    if (step.type === "device") return approveDevice(step.code.uri, person);
    if (step.type === "code") return completeLogin(step.url, { ...person, redirectUri: step.redirectUri });
    return undefined;
  });
  const options: AuthenticateOptions = {
    store,
    now,
    ui,
    env: {},
    interactive: true,
    // A browser in front of the person, which the display stands for.
    openBrowser: () => {},
    onEvent: (event) => events.push(event),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  };
  return {
    ...{ target, folder, store, events, ui, options },
    later: (seconds) => {
      offset += seconds * 1000;
    },
    login: (more) => authenticate(target, { ...options, ...more }),
  };
}
