/** The y coordinate of R = (e/s) G + (r/s) Q, by plain arithmetic: on every platform, and not by the code that is tested. */
type Point = readonly [x: bigint, y: bigint] | undefined;

/** P-256, SP 800-186 section 3.2.1.3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

/** @param point Of the key, uncompressed. @param signature r, then s. */
export function hintBy(point: Uint8Array, digest: Uint8Array, signature: Uint8Array): Uint8Array {
  const inverse = inverseOf(numberOf(signature.subarray(32)), ORDER);
  const r = numberOf(signature.subarray(0, 32));
  const key: Point = [numberOf(point.subarray(1, 33)), numberOf(point.subarray(33))];
  const found = sum(times(numberOf(digest) * inverse, G), times(r * inverse, key));
  if (found?.[0] !== r) throw new Error("The signature is not valid.");
  return new Uint8Array(Buffer.from(found[1].toString(16).padStart(64, "0"), "hex"));
}

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const modulo = (value: bigint, prime: bigint): bigint => ((value % prime) + prime) % prime;

function inverseOf(value: bigint, prime: bigint): bigint {
  let [rest, next] = [prime, modulo(value, prime)];
  let [factor, nextFactor] = [0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return modulo(factor, prime);
}

function times(factor: bigint, point: Point): Point {
  let result: Point;
  let power = point;
  for (let rest = modulo(factor, ORDER); rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = sum(result, power);
    power = sum(power, power);
  }
  return result;
}

function sum(left: Point, right: Point): Point {
  if (left === undefined || right === undefined) return left ?? right;
  const isSame = left[0] === right[0];
  if (isSame && left[1] !== right[1]) return undefined;
  const slope = isSame
    ? (3n * left[0] * left[0] - 3n) * inverseOf(2n * left[1], P)
    : (right[1] - left[1]) * inverseOf(right[0] - left[0], P);
  const x = modulo(slope * slope - left[0] - right[0], P);
  return [x, modulo(slope * (left[0] - x) - left[1], P)];
}
