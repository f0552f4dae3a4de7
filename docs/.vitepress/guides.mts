/** The guides in the order in which they are read: the sidebar, the descriptions of the pages, and llms.txt. */

export interface Guide {
  readonly title: string;
  /** Its file in docs/, without the ending. */
  readonly name: string;
  /** What it answers, in a sentence. */
  readonly about: string;
}

export interface Section {
  readonly title: string;
  readonly guides: readonly Guide[];
}

export const SUMMARY =
  "One call gives a valid bearer token, anywhere a person or a job runs: on a laptop, over SSH, in a Slurm array of a thousand tasks, in CI, in a container. A TypeScript library and a command line program (oidc-auth) for servers with the py-oidc-auth routes, and for any OpenID provider.";

export const SECTIONS: readonly Section[] = [
  {
    title: "Begin",
    guides: [
      { title: "Start", name: "start", about: "From nothing to a login in your own tool, in five minutes." },
      {
        title: "Choosing a strategy",
        name: "strategies",
        about: "authenticate, TokenStore, CodeFlow, DeviceFlow, credentials: which of them when.",
      },
      {
        title: "Unattended runs",
        name: "unattended",
        about: "Batch systems, CI, containers, Kubernetes, cron, systemd: tokens where nobody sits.",
      },
      {
        title: "Recipes",
        name: "recipes",
        about:
          "The token in your HTTP client, in a command line tool, a desktop program, a server, in tests.",
      },
      { title: "Examples", name: "examples", about: "Small programs that the tests run." },
    ],
  },
  {
    title: "Servers",
    guides: [
      {
        title: "Any OpenID provider",
        name: "issuers",
        about: "Logins at Keycloak, Entra ID and all others: settings, jobs, a fetch that carries the token.",
      },
      {
        title: "Providers",
        name: "providers",
        about: "What to register and what to write for nine well-known providers.",
      },
    ],
  },
  {
    title: "Reference",
    guides: [
      {
        title: "Configuration",
        name: "configuration",
        about: "Every option, every environment variable, profiles, and the files that are written.",
      },
      {
        title: "Stores",
        name: "stores",
        about: "Where tokens are kept: files, sealed files, the keychain, PostgreSQL, Redis, your own.",
      },
      { title: "Command line", name: "cli", about: "The program oidc-auth: commands, formats, helpers." },
      {
        title: "Errors",
        name: "errors",
        about: "Each error code: what it means, when it comes, what to do, the exit status.",
      },
      {
        title: "Where it runs",
        name: "environments",
        about: "Whether a person is asked, and how, in which surroundings.",
      },
      { title: "Runtimes", name: "runtimes", about: "Node, and what else the library runs in." },
    ],
  },
  {
    title: "Running it",
    guides: [
      { title: "Debugging", name: "debugging", about: "Finding out what happens, and why." },
      { title: "Testing", name: "testing", about: "Tests of a tool that logs in." },
      {
        title: "Security",
        name: "security",
        about: "What is protected against whom, how, and how to report a vulnerability.",
      },
      {
        title: "Conformance",
        name: "conformance",
        about: "What of which standard holds, and the test that shows it.",
      },
    ],
  },
  {
    title: "Moving",
    guides: [
      {
        title: "From py-oidc-auth-client",
        name: "from-python",
        about: "Name by name from the Python client to this one, and one token file for both.",
      },
      { title: "Changes", name: "changes", about: "What is new in which version." },
    ],
  },
];

export const GUIDES: readonly Guide[] = SECTIONS.flatMap(({ guides }) => guides);
