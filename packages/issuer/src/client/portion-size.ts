import { MAXIMUM_RECORDS } from "@cairn/messages";

/**
 * How many records to send at once over a line that may break: half as many after each break, a quarter more with each
 * portion that gets through. So a line that breaks every few kilobytes is still used, a good one is not held up, and
 * finding the bound again and again wastes a fifth.
 */
const GROWTH = 1.25;

/** After a break. @param sent Of the portion that was under way. @returns 1 at least. */
export const fewerRecords = (sent: number): number => Math.max(1, Math.floor(sent / 2));

/** After a portion was acknowledged. @param most Of a portion ever. */
export const moreRecords = (sent: number, most: number = MAXIMUM_RECORDS): number =>
  Math.min(most, Math.ceil(sent * GROWTH));
