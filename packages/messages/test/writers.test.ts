import assert from "node:assert/strict";
import { test } from "node:test";
import { SIGNATURE_LENGTH } from "@cairn/cose";
import { decodeMessage, type MessageKind, prepareMessage } from "@cairn/messages";
import fc from "fast-check";
import { crypto, KINDS } from "../../../vectors/world.ts";

/** What a fault of ours could put where a field's value belongs. */
const ANYTHING = fc.oneof(
  fc.integer(),
  fc.double().filter((value) => !Object.is(value, -0)),
  fc.bigInt({ min: -5n, max: 2n ** 54n }),
  fc.string({ maxLength: 80 }),
  fc.stringMatching(/^[0-9a-f]{0,66}$/),
  fc.constantFrom("eur", "EUR", "SHOP-1", " name", "na\u202eme", "http://x", undefined, null, true, 0, 1, 8),
  fc.uint8Array({ maxLength: 8 }),
  fc.array(fc.integer(), { maxLength: 3 }),
);

/** Places of a content, the rows within it too. */
function placesOf(content: object, prefix: readonly string[] = []): (readonly string[])[] {
  return Object.entries(content).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !("yIsOdd" in value)
      ? placesOf(value, [...prefix, name])
      : [[...prefix, name]],
  );
}

function changedAt(content: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const its = content as Record<string, unknown>;
  const changed = changedAt(its[name], rest, value);
  return Array.isArray(content)
    ? content.map((each, index) => (`${index}` === name ? changed : each))
    : { ...its, [name]: changed };
}

for (const [name, { kind, sample }] of Object.entries(KINDS)) {
  test(`whatever stands in a ${name}: it is refused when it is written, or read as it was written`, () => {
    const its = kind as MessageKind<unknown>;
    const { content } = sample as { readonly content: object };
    const places = placesOf(content);
    fc.assert(
      fc.property(fc.constantFrom(...places), ANYTHING, (place, value) => {
        const offered = changedAt(content, place, value);
        let bytes: Uint8Array;
        try {
          bytes = prepareMessage(its, offered, crypto).finish(new Uint8Array(SIGNATURE_LENGTH));
        } catch {
          return;
        }
        const read = decodeMessage(its, bytes, crypto).unverified as object;
        assert.deepEqual(withoutAbsent(read), withoutAbsent(offered as object));
      }),
      { numRuns: 300 },
    );
  });
}

const withoutAbsent = (content: object): object =>
  Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
