import type { LoginStep, LoginUi } from "../login-ui.js";
import { approveDevice, completeLogin, type PersonOptions } from "./person.js";

/** Options of {@link scriptedPerson}. */
export interface ScriptedPersonOptions extends PersonOptions {
  /**
   * Whether they act on what they are shown; `false`: the test does. A function is what they do instead at each step,
   * which the login waits for. Default true.
   */
  acts?: boolean | ((step: LoginStep) => unknown) | undefined;
}

/** What a person is shown, kept. */
export interface PersonUi extends LoginUi {
  /** All steps, in order. */
  readonly steps: readonly LoginStep[];
  /** The first step of a type, now or later. */
  seen<T extends LoginStep["type"]>(type: T): Promise<Extract<LoginStep, { type: T }>>;
}

/** A person in front of a program, to be spread into its options. */
export interface ScriptedPerson {
  /** Their display: what it shows is answered before the login goes on. */
  readonly ui: PersonUi;
  /** Their browser: opens a login page, and clicks through it. */
  readonly openBrowser: (url: string) => Promise<void>;
  /** They can be reached, also where the tests run in CI. */
  readonly interactive: true;
}

/**
 * A person who logs in by device code or in the browser, whatever they are shown:
 * `authenticate(target, { store, ...scriptedPerson({ name: "alice" }) })`.
 */
export function scriptedPerson(options: ScriptedPersonOptions = {}): ScriptedPerson {
  const { acts = true, ...person } = options;
  const opened = new Set<string>();
  const browse = async (url: string, redirectUri?: string) => {
    // The page that the display shows is the one that the browser is asked to open next.
    if (acts !== true || opened.has(url)) return;
    opened.add(url);
    await completeLogin(url, { ...person, redirectUri });
  };
  const ui = personUi(async (step) => {
    if (typeof acts === "function") await acts(step);
    if (step.type === "device" && acts === true) await approveDevice(step.code.uri, person);
    if (step.type === "code") await browse(step.url, step.redirectUri);
  });
  return { ui, openBrowser: (url) => browse(url), interactive: true };
}

function personUi(act: (step: LoginStep) => Promise<void>): PersonUi {
  const steps: LoginStep[] = [];
  const watchers = new Set<() => void>();
  return {
    steps,
    show(step) {
      steps.push(step);
      for (const watcher of watchers) watcher();
      return act(step);
    },
    seen: (type) =>
      new Promise((resolve) => {
        const look = () => {
          const step = steps.find((one) => one.type === type);
          if (!step) return;
          watchers.delete(look);
          resolve(step as never);
        };
        watchers.add(look);
        look();
      }),
  };
}
