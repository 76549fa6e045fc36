import type * as Ffi from "node:ffi";
import process from "node:process";

/**
 * Arithmetic on P-256 by the OpenSSL inside this runtime, reached by foreign-function calls: public points and public
 * scalars only. Points travel in the uncompressed form of SEC 1 section 2.3.3, 65 bytes; scalars are below the order.
 */
export type Curve = {
  /** The uncompressed form of a compressed or uncompressed point; undefined when the curve has no such point. */
  pointOf(encoded: Uint8Array): Uint8Array | undefined;
  /** generatorScalar x G + scalar x point, or undefined for the point at infinity. */
  combine(generatorScalar: bigint, point: Uint8Array, scalar: bigint): Uint8Array | undefined;
  /** Adds scalar x point to the sum in the making. False, adding nothing, when that is no point of the curve. */
  add(point: Uint8Array, scalar: bigint): boolean;
  /** Whether generatorScalar x G and all that was added make the point at infinity. The next sum begins empty. */
  isZero(generatorScalar: bigint): boolean;
};

/** The order of the group. */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** `EC_GROUP` number of prime256v1 in OpenSSL's obj_mac.h. */
const NID_P256 = 415;
const UNCOMPRESSED = 4;
const POINT_BYTES = 65n;
const SCALAR_BYTES = 32;
/** Of 64-bit words, lowest first. */
const WORD_SHIFTS = [0n, 64n, 128n, 192n];

const FUNCTIONS = {
  EC_GROUP_new_by_curve_name: { arguments: ["int32"], return: "pointer" },
  EC_POINT_new: { arguments: ["pointer"], return: "pointer" },
  EC_POINT_oct2point: { arguments: ["pointer", "pointer", "pointer", "uint64", "pointer"], return: "int32" },
  EC_POINT_point2oct: {
    arguments: ["pointer", "pointer", "int32", "pointer", "uint64", "pointer"],
    return: "uint64",
  },
  EC_POINTs_mul: {
    arguments: ["pointer", "pointer", "pointer", "uint64", "pointer", "pointer", "pointer"],
    return: "int32",
  },
  EC_POINT_is_at_infinity: { arguments: ["pointer", "pointer"], return: "int32" },
  BN_new: { arguments: [], return: "pointer" },
  BN_CTX_new: { arguments: [], return: "pointer" },
  BN_lebin2bn: { arguments: ["pointer", "int32", "pointer"], return: "pointer" },
  ERR_clear_error: { arguments: [], return: "void" },
} as const satisfies Ffi.FunctionDefinitions;

/**
 * Undefined where the runtime has no foreign-function calls (they are experimental, `--no-experimental-ffi` turns them
 * off, and Node's permission model forbids them), or an OpenSSL without these functions.
 */
export function openCurve(): Curve | undefined {
  try {
    const ffi = importFfi();
    return ffi === undefined ? undefined : curveOn(ffi);
  } catch {
    return undefined;
  }
}

/** Without the runtime's warning: whoever starts a till cannot do anything about it. */
function importFfi(): typeof Ffi | undefined {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:ffi");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** What is made here lives as long as the thread, so nothing is ever freed. */
function curveOn(ffi: typeof Ffi): Curve {
  const openssl = ffi.dlopen(null, FUNCTIONS).functions;
  const made = (pointer: bigint): bigint => {
    if (pointer === 0n) throw new Error("OpenSSL is out of memory.");
    return pointer;
  };
  const group = made(openssl.EC_GROUP_new_by_curve_name(NID_P256));
  const context = made(openssl.BN_CTX_new());
  const sum = made(openssl.EC_POINT_new(group));
  const generatorNumber = made(openssl.BN_new());
  const words = new BigUint64Array(SCALAR_BYTES / 8);
  let points = new BigUint64Array(0);
  let numbers = new BigUint64Array(0);
  let added = 0;

  function setNumber(number: bigint, value: bigint): void {
    for (const [word, shift] of WORD_SHIFTS.entries()) words[word] = value >> shift;
    made(openssl.BN_lebin2bn(words, SCALAR_BYTES, number));
  }

  function grow(): void {
    const size = Math.max(64, 2 * points.length);
    const more = (old: BigUint64Array, make: () => bigint) =>
      BigUint64Array.from({ length: size }, (_, at) => old[at] ?? made(make()));
    points = more(points, () => openssl.EC_POINT_new(group));
    numbers = more(numbers, () => openssl.BN_new());
  }

  function add(point: Uint8Array, scalar: bigint): boolean {
    if (added === points.length) grow();
    const [pointAt = 0n, numberAt = 0n] = [points[added], numbers[added]];
    if (openssl.EC_POINT_oct2point(group, pointAt, point, BigInt(point.length), context) !== 1) {
      // Else the next failure of anybody on this thread would be told with this one's reason.
      openssl.ERR_clear_error();
      return false;
    }
    setNumber(numberAt, scalar);
    added += 1;
    return true;
  }

  function finish(generatorScalar: bigint): void {
    setNumber(generatorNumber, generatorScalar);
    const count = BigInt(added);
    added = 0;
    if (openssl.EC_POINTs_mul(group, sum, generatorNumber, count, points, numbers, context) !== 1)
      throw new Error("OpenSSL could not add the points.");
  }

  function encoded(point: bigint): Uint8Array | undefined {
    const bytes = new Uint8Array(Number(POINT_BYTES));
    if (openssl.EC_POINT_is_at_infinity(group, point) === 1) return undefined;
    const length = openssl.EC_POINT_point2oct(group, point, UNCOMPRESSED, bytes, POINT_BYTES, context);
    return length === POINT_BYTES ? bytes : undefined;
  }

  return {
    pointOf: (bytes) => {
      if (!add(bytes, 1n)) return undefined;
      added -= 1;
      return encoded(points[added] ?? 0n);
    },
    combine: (generatorScalar, point, scalar) => {
      if (!add(point, scalar)) return undefined;
      finish(generatorScalar);
      return encoded(sum);
    },
    add,
    isZero: (generatorScalar) => {
      finish(generatorScalar);
      return openssl.EC_POINT_is_at_infinity(group, sum) === 1;
    },
  };
}
