import { useEffect, useState } from "preact/hooks";

/** What the browser believes. False is certain; true means no more than that a try is worth it. */
export function useOnline(): boolean {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const listener = (): void => setOnline(navigator.onLine);
    addEventListener("online", listener);
    addEventListener("offline", listener);
    return () => {
      removeEventListener("online", listener);
      removeEventListener("offline", listener);
    };
  }, []);
  return isOnline;
}
