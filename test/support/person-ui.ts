import type { LoginStep, LoginUi } from "../../src/login-ui.js";

/** A display that keeps what it was shown, and lets a test act on a step as a person would. */
export interface PersonUi extends LoginUi {
  readonly steps: LoginStep[];
  /** The first step of a type, now or later. */
  seen<T extends LoginStep["type"]>(type: T): Promise<Extract<LoginStep, { type: T }>>;
}

export function personUi(act: (step: LoginStep) => unknown = () => {}): PersonUi {
  const steps: LoginStep[] = [];
  const watchers = new Set<() => void>();
  return {
    steps,
    show(step) {
      steps.push(step);
      for (const watcher of watchers) watcher();
      // A person acts on their own: the login does not wait for them here.
      void (async () => act(step))();
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
