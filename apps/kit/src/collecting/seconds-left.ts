import { useEffect, useState } from "preact/hooks";

/** Until `expiresAt` (seconds since 1970), by the device's clock; drawn again each second. 0 when it is over. */
export function useSecondsLeft(expiresAt: number): number {
  const left = (): number => Math.max(0, expiresAt - Math.floor(Date.now() / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [expiresAt]);
  return seconds;
}

/** "4:05" */
export function minutesAndSeconds(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
