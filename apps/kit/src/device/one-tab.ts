/**
 * Only one tab of an app works at a time, by a Web Lock: two that sign beside each other would confuse people, even
 * though the store keeps them from doing harm. Resolves to false when another tab has it.
 */
export function holdOneTab(name: string, onLost: () => void): Promise<boolean> {
  return hold(name, { ifAvailable: true }, onLost);
}

/** Takes over from the other tab, which is told so. */
export function takeOverTab(name: string, onLost: () => void): Promise<boolean> {
  return hold(name, { steal: true }, onLost);
}

function hold(name: string, options: LockOptions, onLost: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    const held = navigator.locks.request(name, options, (lock) => {
      resolve(lock !== null);
      // Kept until the tab is closed or another one takes over.
      return lock === null ? undefined : new Promise<never>(() => {});
    });
    held.catch(onLost);
  });
}
