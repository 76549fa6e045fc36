/** A till's keys: digits fill in from the right, as on every card terminal, so nobody looks for the decimal point. */
export type KeypadKey = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "00" | "erase" | "clear";

/** The amount in minor units after a key. A digit that would take it above `maximumMinor` changes nothing. */
export function pressKey(minor: bigint, key: KeypadKey, maximumMinor: bigint): bigint {
  if (key === "clear") return 0n;
  if (key === "erase") return minor / 10n;
  const next = key === "00" ? minor * 100n : minor * 10n + BigInt(key);
  return next > maximumMinor ? minor : next;
}

/** The key of a keyboard event's `key`, so that a till with a keyboard or a number pad works without touch. */
export function keyFromKeyboard(key: string): KeypadKey | "enter" | undefined {
  if (/^[0-9]$/.test(key)) return key as KeypadKey;
  if (key === "Backspace") return "erase";
  if (key === "Delete") return "clear";
  if (key === "Enter") return "enter";
  return undefined;
}
