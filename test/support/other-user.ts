/** Users that no machine has: numbers are all that the system asks for. */
export const ALICE = 41_001;
export const BOB = 41_002;

/** Whether this process may be any user, as root may. */
export const canBeOthers = process.getuid?.() === 0;

/** Runs something as another user, with no more rights than they have. */
export async function asUser<T>(uid: number, work: () => Promise<T>): Promise<T> {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([uid]);
  process.setegid?.(uid);
  process.seteuid?.(uid);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}
