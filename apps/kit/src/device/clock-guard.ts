import { CLOCK_SKEW_SECONDS } from "@cairn/messages";

/** How far a clock may be behind what signatures prove before the app stops and asks for it to be set. */
export const MAXIMUM_CLOCK_LAG_SECONDS = 3_600;

/**
 * - `right`: nothing speaks against the device's clock.
 * - `behind`: signed times prove that it is later than it says: a warning, since others may refuse what is dated by it.
 * - `far-behind`: so much that nothing is signed or accepted before it is set.
 */
export type ClockState = "right" | "behind" | "far-behind";

/** `provenSeconds`: the newest time that a signature has proved to be reached, seconds since 1970. */
export function judgeClock(deviceSeconds: number, provenSeconds: number): ClockState {
  const lagSeconds = provenSeconds - deviceSeconds;
  if (lagSeconds <= CLOCK_SKEW_SECONDS) return "right";
  return lagSeconds <= MAXIMUM_CLOCK_LAG_SECONDS ? "behind" : "far-behind";
}
