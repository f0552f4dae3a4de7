import { describe, expect, it } from "vitest";
import { detectEnvironment, type EnvironmentFacts } from "../../src/environment.js";

const TERMINAL: EnvironmentFacts = { env: {}, platform: "linux", stdinIsTty: true, stderrIsTty: true };
const PIPES: EnvironmentFacts = { ...TERMINAL, stdinIsTty: false, stderrIsTty: false };

describe("whether a person can be reached", () => {
  const rows: [string, EnvironmentFacts, boolean | undefined, boolean][] = [
    ["a terminal", TERMINAL, undefined, true],
    ["only standard input is a terminal", { ...TERMINAL, stderrIsTty: false }, undefined, true],
    ["only standard error is a terminal", { ...TERMINAL, stdinIsTty: false }, undefined, true],
    ["no terminal", PIPES, undefined, false],
    ["an interface of the program's own", { ...PIPES, ownUi: true }, undefined, true],
    ["a batch job with a terminal", { ...TERMINAL, env: { SLURM_JOB_ID: "7" } }, undefined, false],
    ["an empty batch variable", { ...TERMINAL, env: { SLURM_JOB_ID: "" } }, undefined, true],
    ["CI", { ...TERMINAL, env: { CI: "true" } }, undefined, false],
    ["CI=false", { ...TERMINAL, env: { CI: "false" } }, undefined, true],
    [
      "a pod, told to be interactive",
      { ...PIPES, env: { KUBERNETES_PORT: "x", INTERACTIVE_SESSION: "1" } },
      undefined,
      true,
    ],
    ["a terminal, told not to be", { ...TERMINAL, env: { INTERACTIVE_SESSION: "0" } }, undefined, false],
    ["the option over the variable", { ...TERMINAL, env: { INTERACTIVE_SESSION: "0" } }, true, true],
    ["the option over the terminal", TERMINAL, false, false],
    ["the option over a batch job", { ...PIPES, env: { PBS_JOBID: "1" } }, true, true],
  ];

  it.each(rows)("%s", (_name, facts, override, interactive) => {
    expect(detectEnvironment(facts, override).interactive).toBe(interactive);
  });

  it.each([
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
  ])("%s marks a batch job, and the reason names it", (name) => {
    const environment = detectEnvironment({ ...TERMINAL, env: { [name]: "1" } });
    expect(environment.interactive).toBe(false);
    expect(environment.reason).toContain(name);
  });
});

describe("whether a browser can open in front of the person", () => {
  const rows: [string, Partial<EnvironmentFacts>, boolean, boolean][] = [
    ["Linux with X11", { env: { DISPLAY: ":0" } }, true, false],
    ["Linux with Wayland", { env: { WAYLAND_DISPLAY: "wayland-0" } }, true, false],
    ["Linux without a display", {}, false, false],
    ["WSL", { env: { WSL_DISTRO_NAME: "Debian" } }, true, false],
    ["macOS", { platform: "darwin" }, true, false],
    ["Windows", { platform: "win32" }, true, false],
    ["SSH with X11 forwarded", { env: { DISPLAY: ":10", SSH_CONNECTION: "a 1 b 22" } }, false, true],
    ["SSH to a Mac", { platform: "darwin", env: { SSH_TTY: "/dev/ttys1" } }, false, true],
  ];

  it.each(rows)("%s", (_name, facts, browser, ssh) => {
    expect(detectEnvironment({ ...TERMINAL, ...facts })).toMatchObject({ browser, ssh });
  });
});
