import { join } from "node:path";
import { authenticate } from "../../src/authenticate.js";
import type { AuthEvent } from "../../src/context.js";
import type { AuthenticateOptions } from "../../src/options.js";
import type { IssuerInit, ResourceInit } from "../../src/settings/issuer.js";
import { TokenStore } from "../../src/store/token-store.js";
import { fakeClock, type PersonOptions, type PersonUi, scriptedPerson } from "../../src/testing/index.js";
import type { Token } from "../../src/token.js";
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
export function issuerWorld(target: IssuerInit | ResourceInit, who: PersonOptions = {}): IssuerWorld {
  const folder = tempFolder();
  const events: AuthEvent[] = [];
  const clock = fakeClock();
  const store = new TokenStore({ path: join(folder, "store.json"), now: clock.now });
  const person = scriptedPerson(who);
  const options: AuthenticateOptions = {
    store,
    ...clock,
    ...person,
    env: {},
    onEvent: (event) => events.push(event),
  };
  return {
    ...{ target, folder, store, events, ui: person.ui, options },
    later: clock.advanceSeconds,
    login: (more) => authenticate(target, { ...options, ...more }),
  };
}
