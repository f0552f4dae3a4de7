import type { CredentialSources, Credentials } from "../grant.js";
import { isRecord } from "../jwt.js";
import { isSafe } from "../settings/address.js";
import { invalid, oneOf, parameterMap, text } from "../settings/checks.js";
import { type GrantOptions, identityOfParameters, type WorkloadUse, workloadRequest } from "./grants.js";
import {
  fileToken,
  identityOf,
  readToken,
  sourceIdentity,
  sourceOf,
  type TokenSource,
  unavailable,
  variableToken,
} from "./token-source.js";

/** Workload identity: the token that a job has from where it runs, exchanged for an access token. */

/** How a job's own token is used. */
export interface WorkloadOptions extends GrantOptions {
  /**
   * How the job's token is used: given in exchange (`token-exchange`, RFC 8693, the default), as the grant itself
   * (`jwt-bearer`, RFC 7523 §2.1), or as the client's proof of who it is (`client-assertion`, RFC 7523 §2.2: Entra's
   * federated credentials).
   */
  use?: WorkloadUse | undefined;
  /** What the job's token is, in an exchange. Default `jwt`. */
  subjectTokenType?: string | undefined;
}

const USES: readonly WorkloadUse[] = ["token-exchange", "jwt-bearer", "client-assertion"];

function workload(
  description: string,
  options: WorkloadOptions,
  read: (sources: CredentialSources) => Promise<string>,
  whose: (env: CredentialSources["env"]) => Promise<string>,
): Credentials {
  const use = oneOf("use", options.use, USES, "token-exchange");
  const parameters = parameterMap("parameters", options.parameters);
  const tokenType = text("subjectTokenType", options.subjectTokenType) ?? "jwt";
  return {
    description,
    kind: use,
    identity: async (env) =>
      `${await whose(env)}.${await identityOfParameters({ ...parameters, type: tokenType })}`,
    request: async (sources) => workloadRequest(use, await read(sources), parameters, tokenType),
  };
}

/** Options of `fromGitHubActions()`. */
export interface GitHubActionsOptions extends WorkloadOptions {
  /** For whom GitHub makes the token (`aud`). Default: GitHub's own choice, the repository's owner. */
  audience?: string | undefined;
}

/**
 * The OIDC token of a GitHub Actions job, which needs `permissions: id-token: write`.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where it does not run there
 */
export function fromGitHubActions(options: GitHubActionsOptions = {}): Credentials {
  const { audience, ...rest } = options;
  const read = async (sources: CredentialSources) => {
    const { context, signal } = sources;
    const hint = "Give the job the permission: permissions: { id-token: write }.";
    const address = variableToken("ACTIONS_ID_TOKEN_REQUEST_URL", sources, hint);
    const bearer = variableToken("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sources, hint);
    if (!URL.canParse(address)) throw unavailable("GitHub Actions", "ACTIONS_ID_TOKEN_REQUEST_URL is no URL");
    const url = new URL(address);
    if (!isSafe(url, false)) {
      throw unavailable("GitHub Actions", "ACTIONS_ID_TOKEN_REQUEST_URL is not https");
    }
    const { send } = await import("../servers/http.js");
    const { errorFromAnswer } = await import("../servers/server-error.js");
    if (audience !== undefined) url.searchParams.set("audience", audience);
    const request = {
      what: "token service of GitHub Actions",
      url,
      headers: { authorization: `Bearer ${bearer}` },
      signal,
    };
    const answer = await send(request, context);
    const value = isRecord(answer.json) ? answer.json["value"] : undefined;
    if (answer.status !== 200) throw errorFromAnswer(request, answer);
    if (typeof value !== "string" || value === "")
      throw unavailable("GitHub Actions", "its answer holds none");
    return value;
  };
  // Jobs of several repositories may share a runner, and with it a store.
  const whose = async (env: CredentialSources["env"]) =>
    identityOf(JSON.stringify([audience, ...GITHUB_JOB.map((name) => env[name])]));
  return workload("the job's token of GitHub Actions", rest, read, whose);
}

/** What GitHub puts into the subject of a job's token. */
const GITHUB_JOB = [
  ...[
    "GITHUB_REPOSITORY",
    "GITHUB_REF",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_EVENT_NAME",
    "GITHUB_RUN_ID",
    "GITHUB_JOB",
  ],
];

/** Options of `fromGitLab()`. */
export interface GitLabOptions extends WorkloadOptions {
  /** The variable that the job's `id_tokens:` names. Default `OIDC_TOKEN`. */
  variable?: string | undefined;
}

/**
 * The id token of a GitLab CI job, which its `id_tokens:` puts into a variable.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the variable is not set
 */
export function fromGitLab(options: GitLabOptions = {}): Credentials {
  const { variable = "OIDC_TOKEN", ...rest } = options;
  const hint = `Name it in the job: id_tokens: { ${variable}: { aud: https://… } }.`;
  return workload(
    "the job's token of GitLab CI",
    rest,
    async (sources) => variableToken(variable, sources, hint),
    async (env) => identityOf(variableToken(variable, { env }, hint)),
  );
}

/** Options of `fromKubernetes()`. */
export interface KubernetesOptions extends WorkloadOptions {
  /**
   * Path of the projected token. Default: the service account's own,
   * `/var/run/secrets/kubernetes.io/serviceaccount/token`.
   */
  path?: string | undefined;
}

/**
 * A pod's projected service account token: read again each time, as the kubelet rotates it.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the file is not there
 */
export function fromKubernetes(options: KubernetesOptions = {}): Credentials {
  const { path = "/var/run/secrets/kubernetes.io/serviceaccount/token", ...rest } = options;
  return fromFile(path, rest, "the pod's projected token");
}

/**
 * A token in a file, read again for each use.
 *
 * @param description what it is called in messages
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the file cannot be read
 */
export function fromFile(
  path: string,
  options: WorkloadOptions = {},
  description = `the token in ${path}`,
): Credentials {
  if (typeof path !== "string" || path === "") throw invalid("path", "must be the path of a file", path);
  const source = () => fileToken(path);
  const what = `the file ${path}`;
  return workload(
    description,
    options,
    (sources) => readToken(source, what, sources),
    (env) => sourceIdentity(source, what, env),
  );
}

/**
 * A token in an environment variable.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where it is not set
 */
export function fromEnvironment(name: string, options: WorkloadOptions = {}): Credentials {
  if (typeof name !== "string" || name === "") throw invalid("name", "must be the name of a variable", name);
  return workload(
    `the token in ${name}`,
    options,
    async (sources) => variableToken(name, sources),
    async (env) => identityOf(variableToken(name, { env })),
  );
}

/**
 * A token that a function of yours fetches, each time one is needed.
 *
 * @throws AuthError `invalid_config`; at a login `credentials_unavailable` where the function fails
 */
export function fromCallback(fetchToken: TokenSource, options: WorkloadOptions = {}): Credentials {
  const source = sourceOf("the callback", fetchToken);
  return workload(
    "the token of a callback",
    options,
    (sources) => readToken(source, "the callback", sources),
    (env) => sourceIdentity(source, "the callback", env),
  );
}
