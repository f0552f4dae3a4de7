/** The front page above its text, in the theme's own terms. Not in the page, so that this reads well in the repository. */
export const HOME = {
  layout: "home",
  hero: {
    name: "oidc-auth-client",
    text: "A valid bearer token, anywhere",
    tagline: "One call, on a laptop, over SSH, in a Slurm array of a thousand tasks, in CI, in a container.",
    actions: [
      { theme: "brand", text: "Start", link: "/start" },
      { theme: "alt", text: "Which login when", link: "/strategies" },
      { theme: "alt", text: "Where nobody sits", link: "/unattended" },
    ],
  },
  features: [
    {
      title: "One call",
      details:
        "A stored token while it is good, else a renewed one, else a login. Reuse costs one file read.",
      link: "/start",
    },
    {
      title: "One refresh",
      details:
        "However many processes or machines share a login, an ended token is renewed once, and none is lost.",
      link: "/stores",
    },
    {
      title: "Any server",
      details: "The py-oidc-auth routes, and every OpenID provider: what to register, and what to write.",
      link: "/issuers",
    },
    {
      title: "Jobs",
      details: "Slurm, Kubernetes, GitHub Actions, GitLab CI, cron. Nobody is asked where nobody is.",
      link: "/unattended",
    },
    {
      title: "Errors that help",
      details: "Every failure has a code, says what happened, and what to do next. None shows a secret.",
      link: "/errors",
    },
    {
      title: "Shared with Python",
      details: "The token file of py-oidc-auth-client. Log in with either, use both.",
      link: "/from-python",
    },
  ],
};
