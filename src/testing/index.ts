/**
 * For the tests of tools that log in: a real auth server on the loopback address, a scripted person, a clock that stands
 * still, a store in memory, failures, and the tests that every backend of a store passes. The server needs the package
 * `oidc-provider`.
 *
 * @module oidc-auth-client/testing
 */
export { failures } from "./failures.js";
export { type FakeClock, type FakeClockOptions, fakeClock } from "./fake-clock.js";
export { type MemoryStoreOptions, memoryStore, type TestTokenOptions, testToken } from "./memory-store.js";
export {
  type ApproveDeviceOptions,
  approveDevice,
  type CompleteLoginOptions,
  completeLogin,
  type PersonOptions,
  type ShownCode,
} from "./person.js";
export {
  type PersonUi,
  type ScriptedPerson,
  type ScriptedPersonOptions,
  scriptedPerson,
} from "./scripted-person.js";
export { type AuthServer, type AuthServerOptions, startAuthServer } from "./server/auth-server.js";
export type { LoggedRequest } from "./server/controls.js";
export type { Fault, Grant, Route } from "./server/faults.js";
export type { ErrorShape } from "./server/oauth-error.js";
export { type ContractCase, storeContract } from "./store-contract.js";
