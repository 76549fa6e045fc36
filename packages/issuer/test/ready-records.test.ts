import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeCbor } from "@cairn/cose";
import { encodeUploadRecord, joinRecords, splitRecords } from "@cairn/messages";
import { readPortions } from "../src/http/portions.ts";
import { decodeRecord, decodingCaches, paymentIdOf, readingOf } from "../src/settlement/decode-record.ts";
import { payeeCertificateOf, paymentOf, requestOf, userCertificateOf } from "./support/bank.ts";
import { crypto } from "./support/values.ts";

/** Beside its bytes, as the store counts a record that it keeps ready (waiting-records.ts): with its row and places in maps. */
const COUNTED_BYTES = 1_600;
const ROW_BYTES = 300;

async function uploaded(count: number): Promise<Uint8Array[]> {
  const [certificate, payee] = await Promise.all([userCertificateOf(), payeeCertificateOf()]);
  const records: Uint8Array[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const request = await requestOf();
    const payment = await paymentOf(certificate, request, { sequence });
    records.push(
      encodeUploadRecord({
        kind: "payment",
        payeeCertificate: payee.bytes,
        request: request.bytes,
        certificate: certificate.bytes,
        payment: payment.bytes,
      }),
    );
  }
  return records;
}

test("a record that waits decoded takes no more than is counted for it", async () => {
  const records = await uploaded(2_000);
  const context = { crypto, decoding: decodingCaches(100) };
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  // Code that is compiled and classes that are laid out only once are no record's.
  for (const record of records.slice(0, 500)) decodeRecord(record.slice(), "terminal", context);
  collect();
  const kept: object[] = [];
  const before = process.memoryUsage().heapUsed;
  for (const bytes of records) {
    const decoded = decodeRecord(bytes, "terminal", context);
    // As whoever takes it in asks for.
    assert.ok("kind" in decoded && paymentIdOf(decoded));
    kept.push(readingOf({ bytes, broughtBy: "terminal" }, decoded));
  }
  collect();
  const each = (process.memoryUsage().heapUsed - before) / records.length;
  assert.ok(each + ROW_BYTES <= COUNTED_BYTES, `${Math.round(each)} bytes each`);
  assert.equal(kept.length, records.length, "they are still there");
  assert.ok(each > 500, `${Math.round(each)} bytes each`);
});

test("a portion's records share its bytes, and keep nothing else in memory", async () => {
  const content = joinRecords(await uploaded(100));
  const item = encodeCbor(content);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const stream = Buffer.concat([item, item, item]);
    for (let start = 0; start < stream.length; start += 7_000) yield stream.subarray(start, start + 7_000);
  }
  let portions = 0;
  for await (const portion of readPortions(pieces())) {
    portions++;
    assert.deepEqual(Buffer.from(portion), Buffer.from(content));
    const kept = new Set(splitRecords(portion).map(({ buffer }) => buffer));
    assert.deepEqual(
      [...kept].map(({ byteLength }) => byteLength),
      [item.length],
    );
  }
  assert.equal(portions, 3);
});
