import { useEffect } from "preact/hooks";

/** Looks anew when a person comes back to the app: the clock may have been set, a day may have passed. */
export function useWhenSeenAgain(look: () => Promise<void>): void {
  useEffect(() => {
    const whenVisible = (): void => {
      if (document.visibilityState === "visible") void look();
    };
    document.addEventListener("visibilitychange", whenVisible);
    return () => document.removeEventListener("visibilitychange", whenVisible);
  }, []);
}
