// One of many tasks that start at the same moment and share one login.
import { AuthError, authenticate, ERROR_KINDS } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const task = process.env["SLURM_ARRAY_TASK_ID"] ?? "0";

try {
  // Slurm's variables say that nobody is there to be asked.
  const { headers } = await authenticate(host);
  const answer = await fetch(`${host}/me`, { headers });
  if (!answer.ok) throw new Error(`The API answers ${answer.status}.`);
  const { username } = (await answer.json()) as { username: string };
  console.log(`Task ${task} works for ${username}.`);
} catch (error) {
  if (!(error instanceof AuthError)) throw error;
  console.error(`Task ${task}: ${error.message}\n${error.hint}`);
  process.exitCode = ERROR_KINDS[error.code].exit;
}
