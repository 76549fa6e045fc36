/** Whole-number arithmetic on minor units. Always to the lower side: what is rounded away is not given out. */

export function atLeastZero(minor: bigint): bigint {
  return minor > 0n ? minor : 0n;
}

export function smallerOf(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

export function largerOf(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

/** Of an amount that is not negative. */
export function percentOf(minor: bigint, percent: number): bigint {
  return (minor * BigInt(percent)) / 100n;
}

/** Of an amount that is not negative, to a multiple of the step. */
export function roundDown(minor: bigint, stepMinor: bigint): bigint {
  return minor - (minor % stepMinor);
}
