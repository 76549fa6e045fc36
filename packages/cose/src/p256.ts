/**
 * The curve P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3): y² = x³ - 3x + b modulo p. Only what public keys need;
 * public keys are no secret, so nothing here runs in constant time.
 */

/** Bytes of a coordinate. */
export const COORDINATE_LENGTH = 32;

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const P_BYTES = bytesFromCoordinate(P);

/** Whether 32 big-endian bytes are a number below p. */
export function isCoordinate(bytes: Uint8Array): boolean {
  if (bytes.length !== COORDINATE_LENGTH) return false;
  for (let at = 0; at < COORDINATE_LENGTH; at += 1) {
    const difference = (bytes[at] ?? 0) - (P_BYTES[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Whether the two coordinates are a point of the curve. */
export function isOnCurve(x: Uint8Array, y: Uint8Array): boolean {
  const yNumber = coordinateFromBytes(y);
  return isCoordinate(x) && isCoordinate(y) && (yNumber * yNumber) % P === rightHandSide(coordinateFromBytes(x));
}

/** The y coordinate with the given parity, or undefined when no point of the curve has this x. */
export function solveY(x: Uint8Array, yIsOdd: boolean): Uint8Array | undefined {
  const square = rightHandSide(coordinateFromBytes(x));
  const root = squareRootCandidate(square);
  if ((root * root) % P !== square) return undefined;
  // The group's order is odd, so no point has y = 0 and the two roots differ in parity.
  return bytesFromCoordinate(((root & 1n) === 1n) === yIsOdd ? root : P - root);
}

function rightHandSide(x: bigint): bigint {
  return ((((x * x) % P) + P - 3n) * x + B) % P;
}

/**
 * a^((p+1)/4), a square root of a when there is one, since p = 3 modulo 4. The exponent is
 * 2^254 - 2^222 + 2^190 + 2^94: 253 squarings and 7 products instead of the 90 more of plain exponentiation.
 */
function squareRootCandidate(a: bigint): bigint {
  const bits2 = (squared(a, 1) * a) % P;
  const bits4 = (squared(bits2, 2) * bits2) % P;
  const bits8 = (squared(bits4, 4) * bits4) % P;
  const bits16 = (squared(bits8, 8) * bits8) % P;
  const bits32 = (squared(bits16, 16) * bits16) % P;
  const upper = (squared(bits32, 32) * a) % P;
  const middle = (squared(upper, 96) * a) % P;
  return squared(middle, 94);
}

function squared(value: bigint, times: number): bigint {
  let result = value;
  for (let count = 0; count < times; count += 1) result = (result * result) % P;
  return result;
}

function coordinateFromBytes(bytes: Uint8Array): bigint {
  let hex = "0x";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
}

function bytesFromCoordinate(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(COORDINATE_LENGTH * 2, "0");
  return Uint8Array.from({ length: COORDINATE_LENGTH }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
}
