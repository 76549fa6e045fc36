import { randomBytes } from "node:crypto";

export { type Clock, systemClock } from "./clock.ts";

/** Bytes that nobody can guess. */
export type Random = { bytes(length: number): Uint8Array };

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
