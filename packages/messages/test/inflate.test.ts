import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateRawSync, deflateSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { inflateZlib } from "../src/inflate.ts";
import { MessageError } from "../src/message-error.ts";

const BOUND = 100_000;

/** What Node's zlib makes of it: undefined for a stream that it refuses or that something follows. */
function byZlib(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { buffer, engine } = inflateSync(bytes, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return engine.bytesWritten === bytes.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

function byUs(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateZlib(bytes, BOUND);
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
    return undefined;
  }
}

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");

/** Few different bytes, so that all kinds of blocks, lengths and distances come up. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 400 })), { maxLength: 20 })
    .map((runs) => Uint8Array.from(runs.flatMap(([byte, times]) => new Array<number>(times).fill(byte)))),
);
const options = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FILTERED,
  ),
});

test("inflates whatever zlib deflates", () => {
  fc.assert(
    fc.property(content, options, (bytes, how) => {
      assert.equal(hex(byUs(deflateSync(bytes, how))), hex(bytes));
    }),
    { numRuns: 300 },
  );
});

test("accepts and refuses mutated streams as zlib does", () => {
  const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(content, options, fc.array(mutation, { minLength: 1, maxLength: 3 }), (bytes, how, mutations) => {
      const stream = Uint8Array.from(deflateSync(bytes, how));
      for (const [at, byte] of mutations) stream[at % stream.length] = byte;
      assert.equal(hex(byUs(stream)), hex(byZlib(stream)));
    }),
    { numRuns: 1_000 },
  );
});

test("accepts and refuses random bytes as zlib does", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (raw) => {
      const stream = Buffer.concat([Buffer.of(0x78, 0xda), raw]);
      assert.equal(hex(byUs(stream)), hex(byZlib(stream)));
    }),
    { numRuns: 2_000 },
  );
});

test("refuses a stream with bytes behind it, cut off, of another checksum, with a dictionary", () => {
  const stream = Uint8Array.from(deflateSync(Buffer.from("status list")));
  const invalid = { code: "MESSAGE_FIELD_INVALID" };
  assert.throws(() => inflateZlib(Uint8Array.from([...stream, 0]), BOUND), invalid);
  assert.throws(
    () => inflateZlib(Uint8Array.from([...stream.subarray(0, -4), 0, ...stream.subarray(-4)]), BOUND),
    invalid,
  );
  for (let length = 0; length < stream.length; length++)
    assert.throws(() => inflateZlib(stream.subarray(0, length), BOUND), invalid);
  assert.throws(() => inflateZlib(stream.with(-1, (stream.at(-1) ?? 0) ^ 1), BOUND), invalid);
  assert.throws(() => inflateZlib(Uint8Array.from(deflateSync("x", { dictionary: Buffer.from("x") })), BOUND), invalid);
  assert.throws(() => inflateZlib(Uint8Array.from(deflateRawSync("x")), BOUND), invalid);
});

test("stops at the bound, whatever a stream claims", () => {
  assert.equal(inflateZlib(deflateSync(new Uint8Array(1_000)), 1_000).length, 1_000);
  assert.throws(() => inflateZlib(deflateSync(new Uint8Array(1_001)), 1_000), { code: "MESSAGE_TOO_LARGE" });
  const bomb = deflateSync(new Uint8Array(50_000_000), { level: 9 });
  assert.ok(bomb.length < 60_000);
  assert.throws(() => inflateZlib(bomb, 8_388_608), { code: "MESSAGE_TOO_LARGE" });
});
