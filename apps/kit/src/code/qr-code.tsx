import { correction, generate, mode } from "lean-qr";
import { useEffect, useMemo } from "preact/hooks";

/** Quiet zone in modules, as ISO/IEC 18004 asks for. */
const QUIET_ZONE_MODULES = 4;

/**
 * A code text as a QR code: crisp at any size, black on white in the dark theme too, since many readers need it so.
 * Error correction M (15 %) at least: reflections on a screen, without making the code denser than needed. While it is shown
 * the screen stays on.
 */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { path, side } = useMemo(() => drawCode(text), [text]);
  useScreenOn();
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${side} ${side}`} shape-rendering="crispEdges">
      <title>{label}</title>
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** One rectangle for each run of dark modules in a row. */
export function drawCode(text: string): { readonly path: string; readonly side: number } {
  const modules = generate(mode.alphaNumeric(text), { minCorrectionLevel: correction.M });
  let path = "";
  for (let y = 0; y < modules.size; y++) {
    for (let x = 0; x < modules.size; x++) {
      const start = x;
      while (modules.get(x, y)) x++;
      const [left, top] = [start + QUIET_ZONE_MODULES, y + QUIET_ZONE_MODULES];
      if (x > start) path += `M${left} ${top}h${x - start}v1H${left}z`;
    }
  }
  return { path, side: modules.size + 2 * QUIET_ZONE_MODULES };
}

/** Asks the device not to dim or lock: a code that goes dark while it is being scanned is scanned again. */
export function useScreenOn(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    let isOver = false;
    async function hold(): Promise<void> {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      try {
        lock = await navigator.wakeLock.request("screen");
        if (isOver) await lock.release();
      } catch {
        // A device that is low on battery says no: nothing is lost but comfort.
      }
    }
    void hold();
    document.addEventListener("visibilitychange", hold);
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", hold);
      void lock?.release();
    };
  }, []);
}
