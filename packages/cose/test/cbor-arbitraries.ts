import fc from "fast-check";
import type { CborKey, CborMap, CborValue } from "../src/index.ts";

const safeInteger = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.maxSafeInteger()).map((value) => value + 0);
// "unit: binary" yields every code point, surrogates excepted: exactly what UTF-8 can hold.
const text = fc.string({ unit: "binary", maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 40 });
const scalar = fc.oneof(safeInteger, fc.boolean(), fc.constant(null), text, bytes);
const key: fc.Arbitrary<CborKey> = fc.oneof(safeInteger, text, fc.constant("__proto__"));

/** Any value of the subset, at most four containers deep. */
export const cborValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((entries): CborMap => new Map(entries)),
  ),
})).value;

/** Bytes near a valid encoding: some changed, cut off or put in. */
export function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom("flip", "set", "cut", "insert"),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x18, 0x19, 0x1b, 0x5b, 0x7f, 0x80, 0x9b, 0xa0, 0xbb, 0xff),
    ),
  });
  return fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 })).map(([bytes, changes]) => {
    const result = [...bytes];
    for (const { at, kind, byte } of changes) {
      const index = at % (result.length + 1);
      if (kind === "flip") result[index] = (result[index] ?? 0) ^ (1 << (byte % 8));
      else if (kind === "set") result[index] = byte;
      else if (kind === "cut") result.splice(index, 1 + (byte % 4));
      else result.splice(index, 0, byte);
    }
    return Uint8Array.from(result);
  });
}
