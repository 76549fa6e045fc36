import { useEffect, useMemo } from "preact/hooks";
import encodeQR from "qr";

/** Quiet zone in modules, as ISO/IEC 18004 asks for. */
const QUIET_ZONE_MODULES = 4;

/**
 * A code text as a QR code: crisp at any size, black on white in the dark theme too, since many readers need it so.
 * Error correction M (15 %): reflections on a screen, without making the code denser than needed. While it is shown
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
  const modules = encodeQR(text, "raw", { ecc: "medium", encoding: "alphanumeric", border: QUIET_ZONE_MODULES });
  let path = "";
  for (const [y, row] of modules.entries()) {
    for (let x = 0; x < row.length; x++) {
      const start = x;
      while (row[x] === true) x++;
      if (x > start) path += `M${start} ${y}h${x - start}v1H${start}z`;
    }
  }
  return { path, side: modules.length };
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
