import { useLayoutEffect, useRef } from "preact/hooks";

/** Marks the one entry above the app's first in the browser's history, there as long as a screen has a way back. */
const INSIDE = "inside";

type WayBack = (() => void) | undefined;
/** Of the components on the screen, innermost last. */
const ways: { readonly current: WayBack }[] = [];
let isLeaving = false;

/**
 * The device's own way back (a button, a swipe from the edge) does what `way` does; the innermost component's counts.
 * Undefined: nothing of the app is left to go back to, and the device leaves it.
 */
export function useWayBack(way: WayBack): void {
  const latest = useRef<WayBack>(way);
  latest.current = way;
  // Before the screen is painted: whoever sees it may go back.
  useLayoutEffect(() => {
    ways.push(latest);
    if (ways.length === 1) addEventListener("popstate", goBack);
    return () => {
      ways.splice(ways.indexOf(latest), 1);
      if (ways.length === 0) removeEventListener("popstate", goBack);
    };
  }, []);
  useLayoutEffect(settle);
}

function goBack(): void {
  if (isLeaving) isLeaving = false;
  else wayOut()?.();
  // After the screen has changed; one that stays gets its entry again.
  setTimeout(settle);
}

const wayOut = (): WayBack => ways.findLast(({ current }) => current !== undefined)?.current;

function settle(): void {
  const hasWay = wayOut() !== undefined;
  if (isLeaving || hasWay === (history.state === INSIDE)) return;
  if (hasWay) {
    history.pushState(INSIDE, "");
    return;
  }
  isLeaving = true;
  history.back();
}
