import { useEffect, useState } from "preact/hooks";

/** Screens one on top of the other; the device's own way back leads back through them. */
export type Screens<Screen> = {
  readonly current: Screen;
  /** On top of the current one. */
  go(screen: Screen): void;
  /** In the place of the current one. */
  replace(screen: Screen): void;
  back(): void;
  /** Back to the first one. */
  home(): void;
};

export function useScreens<Screen>(first: Screen, second?: Screen): Screens<Screen> {
  const [stack, setStack] = useState<readonly Screen[]>(second === undefined ? [first] : [first, second]);
  useEffect(() => {
    if (second !== undefined) history.pushState(null, "");
    const onBack = (): void => setStack((shown) => (shown.length > 1 ? shown.slice(0, -1) : shown));
    addEventListener("popstate", onBack);
    return () => removeEventListener("popstate", onBack);
  }, []);
  return {
    current: stack.at(-1) ?? first,
    go(screen) {
      history.pushState(null, "");
      setStack((shown) => [...shown, screen]);
    },
    replace: (screen) => setStack((shown) => [...shown.slice(0, -1), screen]),
    back: () => history.back(),
    home() {
      if (stack.length > 1) history.go(1 - stack.length);
      setStack((shown) => shown.slice(0, 1));
    },
  };
}
