/** A `fetch` that holds the exchange of a code back, so that a test acts exactly meanwhile. */
export function heldExchange(): { fetch: typeof globalThis.fetch; asked: Promise<void>; release(): void } {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    fetch: async (input, init) => {
      if (new URL(String(input)).pathname.endsWith("/token")) {
        ask();
        await released;
      }
      return globalThis.fetch(input, init);
    },
    /** Until it is held. */
    asked,
    release,
  };
}
