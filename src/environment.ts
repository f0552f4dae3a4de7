/** Where do we run, and is a person there? Pure: it judges what it is handed. */

/** What the judgement is made from. */
export interface EnvironmentFacts {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  stdinIsTty: boolean;
  stderrIsTty: boolean;
  /** Whether the embedding program shows the login in its own interface. */
  ownUi?: boolean;
}

export interface Environment {
  /** Whether a person can be reached for a login, and why we think so. */
  readonly interactive: boolean;
  readonly reason: string;
  /** Whether the person sits at the other end of an SSH connection. */
  readonly ssh: boolean;
  /** Whether a browser can be expected to open in front of the person. */
  readonly browser: boolean;
  readonly stdinIsTty: boolean;
  readonly stderrIsTty: boolean;
}

/** Variables of batch systems and of places where jobs run without a person (any of them set counts). */
const BATCH_VARIABLES = [
  "SLURM_JOB_ID",
  "SLURM_NODELIST",
  "PBS_JOBID",
  "PBS_ENVIRONMENT",
  "PBS_NODEFILE",
  "JOB_ID",
  "SGE_TASK_ID",
  "PE_HOSTFILE",
  "LSB_JOBID",
  "LSB_HOSTS",
  "OAR_JOB_ID",
  "OAR_NODEFILE",
  "OMPI_COMM_WORLD_SIZE",
  "PMI_RANK",
  "MPI_LOCALRANKID",
  "KUBERNETES_SERVICE_HOST",
  "KUBERNETES_PORT",
  "FREVA_BATCH_JOB",
  "JUPYTERHUB_USER",
] as const;

const CI_VARIABLES = ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL", "TF_BUILD"] as const;

const NO = new Set(["", "0", "false", "no", "off"]);

/** Judges whether a person can be reached. `override` (an option or a flag) wins over `INTERACTIVE_SESSION`. */
export function detectEnvironment(facts: EnvironmentFacts, override?: boolean): Environment {
  const { env, platform } = facts;
  const ssh = Boolean(env["SSH_CONNECTION"] || env["SSH_CLIENT"] || env["SSH_TTY"]);
  const display = platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"] || isWsl(env));
  const [interactive, reason] = judge(facts, override);
  return {
    interactive,
    reason,
    ssh,
    browser: display && !ssh,
    stdinIsTty: facts.stdinIsTty,
    stderrIsTty: facts.stderrIsTty,
  };
}

function judge(facts: EnvironmentFacts, override: boolean | undefined): [boolean, string] {
  if (override !== undefined) return [override, `the caller says so (interactive: ${override})`];
  const { env } = facts;
  const variable = env["INTERACTIVE_SESSION"]?.trim().toLowerCase();
  if (variable) return [!NO.has(variable), `INTERACTIVE_SESSION is ${NO.has(variable) ? "off" : "on"}`];
  const batch = BATCH_VARIABLES.find((name) => env[name]);
  if (batch) return [false, `this looks like a batch job (${batch} is set)`];
  const ci = CI_VARIABLES.find((name) => !NO.has(env[name]?.trim().toLowerCase() ?? ""));
  if (ci) return [false, `this looks like a CI job (${ci} is set)`];
  if (facts.ownUi) return [true, "the program brings its own login display"];
  if (facts.stderrIsTty || facts.stdinIsTty) return [true, "there is a terminal"];
  return [false, "neither standard input nor standard error is a terminal"];
}

function isWsl(env: EnvironmentFacts["env"]): boolean {
  return Boolean(env["WSL_DISTRO_NAME"] || env["WSL_INTEROP"]);
}
