// A job that is started with no terminal (cron, CI, a container): it never asks anybody, and keeps its token good.
import { AuthError, createAuthFetch, ERROR_KINDS } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const items = process.argv.slice(2);

// No store is named, so that OIDC_TOKEN_FILE counts; without it the login of `oidc-auth HOST` in the same home is used.
const authFetch = createAuthFetch(host, {
  interactive: false,
  onEvent: (event) => event.type === "refreshed" && console.error("The token was renewed."),
});

try {
  // The token is renewed before it ends, however long this takes.
  for (const item of items) {
    const answer = await authFetch(`${host}/me?item=${encodeURIComponent(item)}`);
    if (!answer.ok) throw new Error(`The API answers ${answer.status} for ${item}.`);
    const { username } = (await answer.json()) as { username: string };
    console.log(`${item} was done for ${username}`);
  }
} catch (error) {
  if (!(error instanceof AuthError)) throw error;
  console.error(`${error.message}\n${error.hint}`);
  // 3: somebody has to log in. ERROR_KINDS[error.code].retryable says whether another try may help.
  process.exitCode = ERROR_KINDS[error.code].exit;
}
