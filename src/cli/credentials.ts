import { type Input, textOf, UsageError } from "./command.js";
import type { CliIo } from "./io.js";

/** The client's secret, from the variable that names it: never from the command line, which others can read. */
export function secretOf(name: string, io: CliIo): string {
  const secret = io.env[name];
  if (!secret) throw new UsageError(`--client-secret-env names ${name}, which is not set`);
  return secret;
}

/** How a job logs in without a person: `--credentials`. */
export async function credentialsOf(input: Input) {
  const way = textOf(input, "credentials");
  if (way === undefined) return undefined;
  const [kind = "", ...more] = way.split(":");
  const value = more.join(":");
  const [{ clientCredentials }, workload] = await Promise.all([
    import("../credentials/grants.js"),
    import("../credentials/workload.js"),
  ]);
  if (way === "client") return clientCredentials();
  if (kind === "github") return workload.fromGitHubActions(value ? { audience: value } : {});
  if (way === "gitlab") return workload.fromGitLab();
  if (kind === "kubernetes") return workload.fromKubernetes(value ? { path: value } : {});
  if (kind === "file" && value) return workload.fromFile(value);
  if (kind === "env" && value) return workload.fromEnvironment(value);
  throw new UsageError(
    `--credentials takes client, github[:AUDIENCE], gitlab, kubernetes[:FILE], file:FILE or env:NAME (it is ${kind})`,
  );
}
