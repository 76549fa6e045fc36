/** Says what happens, when anybody listens: the words are only put together then. */
export type Teller = (says: () => string) => void;

const DAY_MS = 86_400_000;

/** "day 2 09:14:07" */
export function moment(now: number, start: number): string {
  const passed = now - start;
  const clock = new Date(passed).toISOString().slice(11, 19);
  return `day ${Math.floor(passed / DAY_MS) + 1} ${clock}`;
}

/** "13.37" */
export function money(minor: bigint): string {
  const sign = minor < 0n ? "-" : "";
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, "0");
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** "1 record", "2 records" */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
