import { randomBytes } from "node:crypto";

/** Whole seconds since 1970. */
export type Clock = { nowSeconds(): number };
/** Bytes that nobody can guess. */
export type Random = { bytes(length: number): Uint8Array };

export const systemClock: Clock = { nowSeconds: () => Math.floor(Date.now() / 1000) };
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
