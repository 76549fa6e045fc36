import { useEffect, useState } from "preact/hooks";

let waiting: ServiceWorker | undefined;
const listeners = new Set<() => void>();

/**
 * Keeps the app on the device. A newer version is fetched and then waits: it takes over when `applyUpdate` is called,
 * which an app offers only while no payment is under way, or when the app is next started.
 */
export async function keepAppOnDevice(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("./sw.js", { scope: "./" });
  const note = (worker: ServiceWorker | null): void => {
    // Without a controller it is the first version, which nobody needs to hear of.
    if (worker === null || navigator.serviceWorker.controller === null) return;
    waiting = worker;
    for (const listener of listeners) listener();
  };
  note(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") note(installing);
    });
  });
}

export function useUpdateReady(): boolean {
  const [isReady, setReady] = useState(waiting !== undefined);
  useEffect(() => {
    const listener = (): void => setReady(true);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return isReady;
}

/** Starts the newer version. */
export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage("take over");
}
