import { authenticate } from "../../src/authenticate.js";
import type { TokenStore } from "../../src/store/token-store.js";
import { approveDevice } from "../../src/testing/person.js";
import type { Token } from "../../src/token.js";
import { personUi } from "./person-ui.js";

/** A login by device code of a person who approves it, wherever this runs. */
export async function logIn(host: string, store: TokenStore): Promise<Token> {
  const ui = personUi((step) => step.type === "device" && approveDevice(step.code.uri));
  return authenticate(host, { store, ui, interactive: true });
}
