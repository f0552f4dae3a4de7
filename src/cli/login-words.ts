import { loginCommand } from "../interaction-hint.js";
import type { Resolved } from "./target.js";

/** The command that logs in to what a command line named. */
export function loginWords({ config, profile }: Resolved): string {
  return profile === undefined ? loginCommand(config) : `oidc-auth login ${profile}`;
}
