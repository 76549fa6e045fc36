import assert from "node:assert/strict";
import { before, test } from "node:test";
import { CodedError, encodeCbor } from "@cairn/cose";
import {
  capture,
  decodeMessage,
  encodeBase45,
  encodeSyncRecord,
  encodeUploadRecord,
  joinRecords,
  type MessageKind,
  payment,
  readCode,
  readSignedCall,
  readSyncRecord,
  readUploadRecord,
  splitRecords,
  verifyMessage,
  writeCode,
} from "@cairn/messages";
import fc from "fast-check";
import { type TypicalMessages, typicalMessages } from "../../../bench/typical.ts";
import { crypto, KINDS, terminal } from "../../../vectors/world.ts";

/** Bytes from outside never make a decoder do anything but answer or throw its own coded error. */
let typical: TypicalMessages;
before(async () => {
  typical = await typicalMessages();
});

function mustBeCoded(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CodedError, `not a coded error: ${error}`);
  }
}

/** One to three bytes replaced, dropped or inserted. */
const mutation = fc.array(
  fc.record({ at: fc.nat(), kind: fc.constantFrom("set", "drop", "insert"), byte: fc.nat(255) }),
  { minLength: 1, maxLength: 3 },
);

function mutate(
  bytes: Uint8Array,
  changes: readonly { readonly at: number; readonly kind: string; readonly byte: number }[],
): Uint8Array {
  const content = [...bytes];
  for (const { at, kind, byte } of changes) {
    const index = at % Math.max(content.length, 1);
    if (kind === "set") content[index] = byte;
    else content.splice(index, kind === "drop" ? 1 : 0, ...(kind === "insert" ? [byte] : []));
  }
  return Uint8Array.from(content);
}

test("mutated messages of every kind throw coded errors or decode", () => {
  for (const { kind, sample } of Object.values(KINDS)) {
    fc.assert(
      fc.property(mutation, (changes) =>
        mustBeCoded(() => decodeMessage(kind as MessageKind<unknown>, mutate(sample.bytes, changes), crypto)),
      ),
      { numRuns: 150 },
    );
  }
});

function readRecords(content: Uint8Array): void {
  mustBeCoded(() => {
    for (const bytes of splitRecords(content)) {
      mustBeCoded(() => readUploadRecord(bytes));
      mustBeCoded(() => readSyncRecord(bytes));
    }
  });
}

test("mutated records, calls and codes throw coded errors or decode", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const records = joinRecords([
    encodeUploadRecord({
      kind: "payment",
      payeeCertificate: bytes,
      request: bytes,
      certificate: bytes,
      payment: bytes,
    }),
    encodeUploadRecord({ kind: "void", payeeCertificate: bytes, request: bytes, requestVoid: bytes }),
    encodeSyncRecord({ kind: "closing", closing: bytes }),
    encodeSyncRecord({
      kind: "open-payment",
      certificate: bytes,
      payment: bytes,
      payeeCertificate: undefined,
      receipt: undefined,
    }),
  ]);
  const call = Uint8Array.from([...KINDS["call-upload"].sample.bytes, ...records]);
  const pair = Uint8Array.from([...typical.certificate.bytes, ...typical.payment.bytes]);
  fc.assert(
    fc.property(mutation, (changes) => readRecords(mutate(records, changes))),
    { numRuns: 600 },
  );
  fc.assert(
    fc.property(mutation, (changes) => mustBeCoded(() => readSignedCall("upload", mutate(call, changes), crypto))),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(mutation, (changes) => mustBeCoded(() => readCode(`CAIRN:1P${encodeBase45(mutate(pair, changes))}`))),
    { numRuns: 300 },
  );
});

test("records of any CBOR value throw coded errors or decode", () => {
  const leaf = fc.oneof(
    fc.integer({ min: -1, max: 4 }),
    fc.uint8Array({ maxLength: 3 }),
    fc.constant(null),
    fc.string(),
  );
  const row = fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(leaf, row), (value) => readRecords(encodeCbor(value))),
    { numRuns: 600 },
  );
});

test("random bytes and texts throw coded errors everywhere", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      mustBeCoded(() => decodeMessage(payment, bytes, crypto));
      mustBeCoded(() => readSignedCall("upload", bytes, crypto));
      readRecords(bytes);
    }),
    { numRuns: 600 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `CAIRN:1P${text}`),
        fc.string({ unit: fc.constantFrom(..."09AZ:%$ ") }).map((text) => `CAIRN:1R${text}`),
      ),
      (text) => mustBeCoded(() => readCode(text)),
    ),
  );
});

test("a code comes back as it was written, and every cut of it is refused", () => {
  const text = writeCode({ type: "payment", certificate: typical.certificate.bytes, message: typical.payment.bytes });
  const code = readCode(text);
  assert.deepEqual(code, { type: "payment", certificate: typical.certificate.bytes, message: typical.payment.bytes });
  for (let length = 0; length < text.length; length += 7)
    assert.throws(() => readCode(text.slice(0, length)), CodedError);
});

test("a receipt never passes for a capture, although their fields agree", async () => {
  const { bytes, messageId } = KINDS.receipt.sample;
  const posing = decodeMessage(capture, bytes, crypto);
  assert.notEqual(posing.messageId, messageId);
  await assert.rejects(verifyMessage(posing, { key: terminal.publicKey, crypto }), { code: "SIGNATURE_INVALID" });
});
