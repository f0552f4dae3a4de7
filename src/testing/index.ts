export { approveDevice, completeLogin, type PersonOptions, type ShownCode } from "./person.js";
export { type AuthServer, type AuthServerOptions, startAuthServer } from "./server/auth-server.js";
export type { Fault, Grant, Route } from "./server/faults.js";
export { type ContractCase, storeContract } from "./store-contract.js";
