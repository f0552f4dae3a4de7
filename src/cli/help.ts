export const HELP = `Usage: oidc-auth HOST [options]
       oidc-auth --list | --clear | --remove HOST [options]

Gives a valid token for an auth server: the stored one, else a renewed one, else one from a login.

Login:
  -f, --force               log in even where a stored token would do
      --flow FLOW           auto (default), device (a code, entered on any device), code (the browser here)
      --timeout SECONDS     how long you have for the login (default: as long as the code is valid; 300 in the browser)
      --interactive         take it that somebody can log in here; --no-interactive: that nobody can
      --no-browser          show the address, and open no browser
  -l, --login-route PATH    below the host (default /auth/v2/login)
  -t, --token-route PATH    (default /auth/v2/token)
  -d, --device-route PATH   (default /auth/v2/device)
  -p, --ports PORT...       ports the browser may come back to (default: what the server lists, else 53100 to 53105)
      --allow-insecure-host allow plain http to another machine

Any OpenID provider:
      --client-id ID        HOST is an issuer, where this program is registered under that name
      --api                 HOST is an API, which says who gives tokens for it
      --scopes "A B"        what to ask for (default: openid offline_access)
      --resource URL        the API that the token is for
      --audience NAME       the same in the way of Auth0 and others

Stored logins:
      --list                the hosts with one
      --remove HOST         forget one
      --clear               forget all

Everywhere:
      --app-name NAME       whose token file is used (default py-oidc-auth, shared with the Python client)
      --json                print the result as JSON; for a token that is all of it: keep it to yourself
  -h, --help                this text
  -V, --version             the version

Environment:
  OIDC_TOKEN_FILE           a token file to use instead of the default one
  INTERACTIVE_SESSION       1: somebody can log in here; 0: nobody can
  OIDC_AUTH_DEBUG           1: show where an error comes from

Examples:
  oidc-auth https://auth.example.org
  oidc-auth https://auth.example.org --flow device --timeout 120
  oidc-auth https://login.example.org/realms/x --client-id my-cli
  (umask 077; oidc-auth https://auth.example.org --json > token.json)

It ends with 0 when there is a token, 1 when not, 2 for wrong usage, 130 for Ctrl-C.
`;
