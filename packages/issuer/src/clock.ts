/** Whole seconds since 1970. */
export type Clock = { nowSeconds(): number };

export const systemClock: Clock = { nowSeconds: () => Math.floor(Date.now() / 1000) };
