import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { tempFolder } from "./temp-folder.js";

/** A program in a real terminal. */
export interface TerminalScreen {
  /** What stands on the screen now, line by line. */
  screen(): string[];
  /** The screen once something stands on it. */
  until(expected: RegExp): Promise<string[]>;
  press(...keys: string[]): void;
  /** Every byte that came to the terminal. */
  written(): Buffer;
  /** Waits until these have come. */
  untilWritten(expected: string): Promise<void>;
  /** What the terminal is called, which programs can change. */
  title(): string;
}

/** Whether tmux, which is the terminal, is there. */
export function hasTmux(): boolean {
  try {
    execFileSync("tmux", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs a shell script in a terminal of a size. */
export function runInTerminal(
  script: string,
  size: { columns: number; rows: number },
  env: Readonly<Record<string, string>>,
): TerminalScreen {
  const folder = tempFolder();
  const socket = `oidc-auth-${randomBytes(6).toString("hex")}`;
  // Its own environment is that of whatever runs the tests, which must not count: NO_COLOR, CI.
  const own = { PATH: process.env["PATH"] ?? "", HOME: folder, LC_ALL: "C.UTF-8" };
  const tmux = (...args: string[]) =>
    execFileSync("tmux", ["-L", socket, ...args], { encoding: "utf8", env: own });
  const [file, output] = [join(folder, "script.sh"), join(folder, "output")];
  writeFileSync(output, "");
  // Begins only when what it prints is being watched, and stays so that its last words can be read.
  // tmux would have a TERM of its own: what counts is set inside.
  const exports = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`);
  writeFileSync(file, `${exports.join("")}trap : INT\nread -r _\n${script}\nexec cat\n`);
  const { columns, rows } = size;
  tmux("-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows), "sh", file);
  onTestFinished(() => {
    try {
      tmux("kill-server");
    } catch {
      // It ended by itself.
    }
  });
  tmux("pipe-pane", "-o", `cat >> ${output}`);
  tmux("send-keys", "Enter");
  // Lines that the terminal has wrapped are one, as they are to whoever copies them.
  const screen = () => tmux("capture-pane", "-p", "-J").replace(/\n+$/, "").split("\n");
  const written = () => readFileSync(output);
  /** Looks whenever something was written. */
  const whenever = <T>(look: () => T | undefined) =>
    new Promise<T>((resolve) => {
      const onChange = () => {
        const found = look();
        if (found === undefined) return;
        watcher.close();
        resolve(found);
      };
      const watcher = watch(output, onChange);
      onTestFinished(() => watcher.close());
      onChange();
    });
  return {
    screen,
    until: (expected) =>
      whenever(() => {
        const lines = screen();
        return expected.test(lines.join("\n")) ? lines : undefined;
      }),
    untilWritten: async (expected) => void (await whenever(() => written().includes(expected) || undefined)),
    press: (...keys) => void tmux("send-keys", ...keys),
    written,
    title: () => tmux("display-message", "-p", "#{pane_title}").trim(),
  };
}
