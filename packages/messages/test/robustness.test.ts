import assert from "node:assert/strict";
import { before, test } from "node:test";
import { CodedError } from "@cairn/cose";
import { nodeCrypto } from "@cairn/cose/node";
import {
  decodeMessage,
  type MessageKind,
  payeeCertificate,
  payment,
  paymentRequest,
  readCode,
  readSignedCall,
  readSyncRecord,
  readUploadRecord,
  splitRecords,
  userCertificate,
  writeCode,
} from "@cairn/messages";
import fc from "fast-check";
import { type TypicalMessages, typicalMessages } from "../../../bench/typical.ts";

/** Bytes from outside never make a decoder do anything but answer or throw its own coded error. */
const crypto = nodeCrypto();
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
  const kinds: [MessageKind<unknown>, () => Uint8Array][] = [
    [userCertificate as MessageKind<unknown>, () => typical.certificate.bytes],
    [payeeCertificate as MessageKind<unknown>, () => typical.payeeCertificate.bytes],
    [paymentRequest as MessageKind<unknown>, () => typical.request.bytes],
    [payment as MessageKind<unknown>, () => typical.payment.bytes],
  ];
  for (const [kind, bytes] of kinds) {
    fc.assert(
      fc.property(mutation, (changes) => mustBeCoded(() => decodeMessage(kind, mutate(bytes(), changes), crypto))),
      { numRuns: 400 },
    );
  }
});

test("random bytes and texts throw coded errors everywhere", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      mustBeCoded(() => decodeMessage(payment, bytes, crypto));
      mustBeCoded(() => readSignedCall("upload", bytes, crypto));
      mustBeCoded(() => {
        for (const { value } of splitRecords(bytes)) {
          mustBeCoded(() => readUploadRecord(value));
          mustBeCoded(() => readSyncRecord(value));
        }
      });
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

test("a message of one kind never passes for another, although their fields may agree", async () => {
  assert.throws(() => decodeMessage(payment, typical.request.bytes, crypto), CodedError);
  assert.notEqual(
    decodeMessage(userCertificate, typical.certificate.bytes, crypto).messageId,
    typical.payment.messageId,
  );
});
