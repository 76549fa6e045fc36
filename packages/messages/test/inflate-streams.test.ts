import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateSync, inflateSync } from "node:zlib";
import { inflateZlib } from "../src/inflate.ts";
import { MessageError } from "../src/message-error.ts";

/** A few streams with all kinds of blocks in them, and everything that is one bit away from them. */
const BOUND = 10_000;
const mixed = Uint8Array.from({ length: 300 }, (_, at) => (at % 7 < 4 ? 0 : at % 251));
/** Long repetitions near and far, the farthest first seen 9,000 bytes before. */
const far = Uint8Array.from({ length: 9_600 }, (_, at) => (at < 40 || at > 9_200 ? (at * 37) % 256 : 0));
/** Every byte there is: in a fixed block the short and the long codes. */
const all = Uint8Array.from({ length: 256 }, (_, at) => at);

const STREAMS: readonly { readonly name: string; readonly bytes: Uint8Array; readonly stream: Uint8Array }[] = [
  { name: "nothing", bytes: new Uint8Array(), level: 9 },
  { name: "stored", bytes: mixed.subarray(0, 20), level: 0 },
  { name: "fixed", bytes: all, level: 9, strategy: constants.Z_FIXED },
  { name: "dynamic", bytes: mixed, level: 9 },
  { name: "literals alone", bytes: mixed, level: 9, strategy: constants.Z_HUFFMAN_ONLY },
  { name: "one distance", bytes: new Uint8Array(700), level: 9, strategy: constants.Z_RLE },
  { name: "far", bytes: far, level: 9 },
].map(({ name, bytes, ...how }) => ({ name, bytes, stream: Uint8Array.from(deflateSync(bytes, how)) }));

/** What Node's zlib makes of it: undefined for a stream that it refuses, that goes on, or that is longer than the bound. */
function byZlib(bytes: Uint8Array): string | undefined {
  try {
    const options = { info: true, maxOutputLength: BOUND };
    const told = inflateSync(bytes, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return told.engine.bytesWritten === bytes.length ? told.buffer.toString("hex") : undefined;
  } catch {
    return undefined;
  }
}

function byUs(bytes: Uint8Array): string | undefined {
  try {
    return Buffer.from(inflateZlib(bytes, BOUND)).toString("hex");
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
    return undefined;
  }
}

for (const { name, bytes, stream } of STREAMS) {
  test(`${name}: inflated as it was, up to the bound and no further, wherever it lies`, () => {
    assert.equal(byUs(stream), Buffer.from(bytes).toString("hex"));
    const behind = Uint8Array.from([9, 9, 9, ...stream, 9]);
    assert.deepEqual(inflateZlib(behind.subarray(3, -1), bytes.length), bytes);
    if (bytes.length > 0) assert.throws(() => inflateZlib(stream, bytes.length - 1), { code: "MESSAGE_TOO_LARGE" });
  });

  test(`${name}: whatever is one bit away, or cut off, is taken or refused as zlib does`, () => {
    for (let bit = 0; bit < 8 * Math.min(stream.length, 120); bit++) {
      const at = bit >> 3;
      const changed = stream.with(at, (stream[at] ?? 0) ^ (1 << (bit & 7)));
      assert.equal(byUs(changed), byZlib(changed), `bit ${bit}`);
    }
    for (let length = 0; length < stream.length; length++)
      assert.throws(() => inflateZlib(stream.subarray(0, length), BOUND), { code: "MESSAGE_FIELD_INVALID" });
  });
}

test("each of two bytes that may begin a stream is taken or refused as zlib does", () => {
  const { stream } = STREAMS[1] as (typeof STREAMS)[0];
  for (let header = 0; header < 0x10000; header += 31) {
    const changed = stream.with(0, header >> 8).with(1, header & 0xff);
    assert.equal(byUs(changed), byZlib(changed), header.toString(16));
  }
});

/** How long the code of one more symbol is, or how many symbols have the same: code 16, 17 or 18 of RFC 1951 section 3.2.7. */
type Length = number | { readonly by: 16 | 17 | 18; readonly times: number };
type Tables = {
  readonly literals: number;
  readonly distances: number;
  readonly lengths: readonly Length[];
  /** One of the codes in which the lengths are written stands for nothing. */
  readonly isWithout18?: true;
};

const none = (times: number): Length => ({ by: 18, times });
/** No byte has a code. */
const noBytes = [none(128), none(128)];

/** A stream of one block with tables of its own, which ends at once with the code that means the end. */
function endingWith(end: string, { literals, distances, lengths, isWithout18 }: Tables): Uint8Array {
  let bits = "";
  const lowestFirst = (value: number, count: number): void => {
    bits += [...value.toString(2).padStart(count, "0")].reverse().join("");
  };
  lowestFirst(0b101, 3);
  lowestFirst(literals - 257, 5);
  lowestFirst(distances - 1, 5);
  lowestFirst(19 - 4, 4);
  // The code in which the lengths are written: four bits for 0 to 12, five for 13 to 18.
  for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
    lowestFirst(symbol === 18 && isWithout18 ? 0 : symbol < 13 ? 4 : 5, 3);
  const further = { 16: { least: 3, count: 2 }, 17: { least: 3, count: 3 }, 18: { least: 11, count: 7 } };
  for (const length of lengths) {
    const symbol = typeof length === "number" ? length : length.by;
    bits += symbol < 13 ? symbol.toString(2).padStart(4, "0") : (symbol + 13).toString(2);
    if (typeof length !== "number") lowestFirst(length.times - further[length.by].least, further[length.by].count);
  }
  return streamOf(bits + end, new Uint8Array());
}

/** A stream of these bits, the first ones lowest in their byte, with the checksum of what shall come out. */
function streamOf(bits: string, content: Uint8Array): Uint8Array {
  const packed = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt([...byte].reverse().join(""), 2));
  return Uint8Array.of(0x78, 0xda, ...packed, ...deflateSync(content).subarray(-4));
}

/** The code of the end of the block, and the tables. */
const TAKEN: Readonly<Record<string, readonly [end: string, Tables]>> = {
  "one code of one bit": ["0", { literals: 257, distances: 1, lengths: [...noBytes, 1, 0] }],
  "two codes of one bit": ["0", { literals: 258, distances: 1, lengths: [...noBytes, 1, 1, 0] }],
  "one distance of one bit": ["0", { literals: 257, distances: 1, lengths: [...noBytes, 1, 1] }],
  "all distances": [
    "0",
    { literals: 257, distances: 30, lengths: [...noBytes, 1, 4, 4, ...new Array<number>(28).fill(5)] },
  ],
  "all literals": ["0", { literals: 286, distances: 1, lengths: [...noBytes, 1, 1, none(28), 0] }],
  "codes of every length": [
    `${"1".repeat(14)}0`,
    {
      literals: 258,
      distances: 1,
      lengths: [...Array.from({ length: 14 }, (_, at) => at + 1), none(138), none(104), 15, 15, 0],
    },
  ],
  "lengths repeated up to the last symbol": [
    "0",
    { literals: 259, distances: 1, lengths: [...noBytes, 1, { by: 17, times: 3 }] },
  ],
  "the length before, again": [
    "00",
    { literals: 260, distances: 1, lengths: [...noBytes, 2, { by: 16, times: 3 }, 0] },
  ],
  "the length before, on into the distances": [
    "00",
    { literals: 260, distances: 4, lengths: [...noBytes, 2, { by: 16, times: 6 }, 2] },
  ],
};
const REFUSED: Readonly<Record<string, readonly [end: string, Tables]>> = {
  "one code of two bits": ["00", { literals: 257, distances: 1, lengths: [...noBytes, 2, 0] }],
  "three codes of one bit": ["0", { literals: 259, distances: 1, lengths: [...noBytes, 1, 1, 1, 0] }],
  "codes that leave one unused": ["0", { literals: 258, distances: 1, lengths: [...noBytes, 1, 2, 0] }],
  "one distance of two bits": ["0", { literals: 257, distances: 1, lengths: [...noBytes, 1, 2] }],
  "a distance too many": [
    "0",
    { literals: 257, distances: 31, lengths: [...noBytes, 1, 4, ...new Array<number>(30).fill(5)] },
  ],
  "a literal too many": ["0", { literals: 287, distances: 1, lengths: [...noBytes, 1, 1, none(29), 0] }],
  "the length before the first": [
    "0",
    { literals: 258, distances: 1, lengths: [{ by: 16, times: 3 }, none(138), none(115), 1, 1, 0] },
  ],
  "more lengths than symbols": ["0", { literals: 257, distances: 1, lengths: [...noBytes, 1, { by: 17, times: 3 }] }],
  "lengths in a code that leaves one unused": [
    "0",
    {
      literals: 257,
      distances: 1,
      isWithout18: true,
      lengths: [...new Array<Length>(25).fill({ by: 17, times: 10 }), { by: 17, times: 6 }, 1, 0],
    },
  ],
  "no end of the block": ["0", { literals: 257, distances: 1, lengths: [1, 1, none(138), none(118)] }],
};

test("tables are taken and refused as the standard and zlib have it", () => {
  for (const [name, [end, tables]] of Object.entries({ ...TAKEN, ...REFUSED })) {
    const stream = endingWith(end, tables);
    assert.equal(byZlib(stream), name in TAKEN ? "" : undefined, `${name}, by zlib`);
    assert.equal(byUs(stream), name in TAKEN ? "" : undefined, name);
  }
});

test("a distance beyond the longest is none", () => {
  const [fixedBlock, zero, threeBytes, end] = ["110", "00110000", "0000001", "0000000"];
  const [nearest, thirtieth] = ["00000", `11110${"0".repeat(14)}`];
  const stream = (distance: string) =>
    streamOf(`${fixedBlock}${zero}${threeBytes}${distance}${end}`, new Uint8Array(4));
  assert.equal(byUs(stream(nearest)), "00000000");
  assert.equal(byZlib(stream(thirtieth)), undefined);
  assert.equal(byUs(stream(thirtieth)), undefined);
});

test("what is cut off is told to be, however much it says that it holds", () => {
  const claims = Uint8Array.of(0x78, 0x01, 0b1, 0xff, 0xff, 0, 0, 1, 2, 3);
  assert.throws(() => inflateZlib(claims, 1_000), { code: "MESSAGE_FIELD_INVALID" });
});
