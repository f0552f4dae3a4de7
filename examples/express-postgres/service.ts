// A service that calls an API in the name of its many users. Each connects their account once, by a code that the service
// shows; the tokens lie sealed in PostgreSQL, by user. Any number of instances share them, and one renews for all.
import express, { type ErrorRequestHandler, type Request } from "express";
import {
  AuthError,
  type AuthenticateOptions,
  authenticate,
  createAuthFetch,
  ERROR_KINDS,
  logout,
  TokenStore,
} from "oidc-auth-client";
import { postgresBackend } from "oidc-auth-client/postgres";
import pg from "pg";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
// A connection that drops while nobody uses it is replaced; without a listener it would end the service.
pool.on("error", (error) => console.error(error));
const store = new TokenStore({
  backend: postgresBackend({ pool, table: "oidc_tokens" }),
  encryptionKey: { env: "TOKEN_KEY" }, // 32 bytes in base64: `openssl rand -base64 32`
});
const stopping = new AbortController();

/** Whose login it is. Nobody is asked but in /connect. */
function loginOf(user: string): AuthenticateOptions {
  return { store, account: user, interactive: false, signal: stopping.signal };
}

/** Your own session says who asks; here a header does. */
function userOf(request: Request): string {
  const user = request.get("x-user");
  if (!user) throw new AuthError("login_required", "Nobody has signed in to this service.");
  return user;
}

const app = express();

// Begins a login by device code, and answers with what the user has to do. It goes on until they did it.
app.post("/connect", (request, response, next) => {
  const user = userOf(request);
  const login = authenticate(host, {
    ...loginOf(user),
    interactive: true,
    flow: "device",
    openBrowser: false,
    ui: {
      show(step) {
        if (step.type === "device")
          response.status(202).json({ link: step.code.uri, userCode: step.code.userCode });
      },
    },
  });
  login.then(
    () => !response.headersSent && response.json({ connected: true }),
    (error: unknown) => (response.headersSent ? console.error(`${user}: ${String(error)}`) : next(error)),
  );
});

app.get("/connection", async (request, response) => {
  response.json({ connected: (await store.get(host, { account: userOf(request) })) !== undefined });
});

app.delete("/connection", async (request, response) => {
  response.json(await logout(host, loginOf(userOf(request))));
});

// What the service is for: the API, in the user's name.
app.get("/profile", async (request, response) => {
  const authFetch = createAuthFetch(host, loginOf(userOf(request)));
  const answer = await authFetch(`${host}/me`);
  response.status(answer.ok ? 200 : 502).json(await answer.json());
});

const tell: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (!(error instanceof AuthError)) {
    console.error(error);
    response.status(500).json({ error: "server_error" });
  } else if (error.code === "interaction_required") {
    response.status(409).json({ error: "not_connected", message: "Connect your account: POST /connect" });
  } else if (error.code === "login_required") {
    response.status(401).json({ error: error.code });
  } else {
    console.error(error);
    response.status(ERROR_KINDS[error.code].retryable ? 503 : 502).json({ error: error.code });
  }
};
app.use(tell);

const server = app.listen(Number(process.env["PORT"] ?? 3000), () => {
  const address = server.address();
  console.log(`listening on ${typeof address === "object" ? address?.port : address}`);
});

process.once("SIGTERM", () => {
  stopping.abort();
  server.close(() => void pool.end());
});
