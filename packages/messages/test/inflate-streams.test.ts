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
      assert.equal(byUs(stream.subarray(0, length)), undefined, `${length} bytes`);
  });
}
