/**
 * One call gives a valid bearer token, anywhere a person or a job runs.
 *
 * @module oidc-auth-client
 */
export { authenticate } from "./authenticate.js";
export { Config, type ConfigInit } from "./config.js";
export type { AuthEvent, Context } from "./context.js";
export {
  clientCredentials,
  type GrantOptions,
  type JwtBearerOptions,
  jwtBearer,
  type SignedJwtOptions,
  signedJwt,
  type TokenExchangeOptions,
  tokenExchange,
  type WorkloadUse,
} from "./credentials/grants.js";
export type { TokenSource } from "./credentials/token-source.js";
export {
  fromCallback,
  fromEnvironment,
  fromFile,
  fromGitHubActions,
  fromGitLab,
  fromKubernetes,
  type GitHubActionsOptions,
  type GitLabOptions,
  type KubernetesOptions,
  type WorkloadOptions,
} from "./credentials/workload.js";
export type {
  DebugFact,
  DebugMessage,
  EventMessage,
  ExplainMessage,
  FailedMessage,
  LoginMessage,
  LoginProgress,
  RequestMessage,
  StoreMessage,
} from "./debug/message.js";
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetails,
  ERROR_KINDS,
  type ErrorKind,
  isAuthError,
  type OwnErrorCode,
  type ProtocolErrorCode,
} from "./errors.js";
export { type AuthFetchOptions, createAuthFetch } from "./fetch/auth-fetch.js";
export { type TokenProviderCall, tokenProvider } from "./fetch/token-provider.js";
export { CodeFlow } from "./flows/code-flow.js";
export { DeviceFlow } from "./flows/device-flow.js";
export type { Target } from "./flows/session.js";
export type { CredentialSources, Credentials, GrantRequest } from "./grant.js";
export type { LoginActions, LoginStep, LoginUi, ShownDeviceCode } from "./login-ui.js";
export { type Logout, type LogoutOptions, logout, revoke } from "./logout.js";
export type {
  AuthenticateOptions,
  BrowserOpener,
  FlowName,
  LoginOptions,
  LoopbackPagesOptions,
  NetworkOptions,
  TerminalOptions,
} from "./options.js";
export type { DeviceCode } from "./servers/auth-server.js";
export type { ClientAuthMethod, ClientAuthOptions, PrivateKey } from "./settings/client-auth.js";
export type { Prompt } from "./settings/common.js";
export type { Endpoints } from "./settings/endpoints.js";
export type { IssuerInit, IssuerOptions, ResourceInit } from "./settings/issuer.js";
export type { RouteOptions, RoutesInit } from "./settings/routes.js";
export type { Entry, HeldLock, LockOptions, TokenStoreBackend, WriteCondition } from "./store/backend.js";
export { memoryBackend } from "./store/memory-backend.js";
export type { EncryptionKey } from "./store/sealed-backend.js";
export type { StoreTarget } from "./store/server-slot.js";
export type { AccountOptions, TokenStoreOptions, UpdateOptions } from "./store/store-options.js";
export { TokenStore } from "./store/token-store.js";
export { type DpopKey, isRefreshable, isUsable, Token, type TokenInit } from "./token.js";
export { introspect, userinfo } from "./userinfo.js";
