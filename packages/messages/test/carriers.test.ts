import assert from "node:assert/strict";
import { test } from "node:test";
import { CodedError, encodeCbor } from "@cairn/cose";
import {
  type CallPurpose,
  CODE_TYPES,
  type CodeType,
  deviceIdOf,
  encodeSyncRecord,
  encodeUploadRecord,
  expectCode,
  isRefusal,
  joinRecords,
  MAXIMUM_BODY_BYTES,
  MAXIMUM_RECORDS,
  readCode,
  readSignedCall,
  readSyncRecord,
  readUploadRecord,
  type ServerNonce,
  type SyncRecord,
  signedCall,
  splitRecords,
  type UploadRecord,
  verifyUnder,
  writeCode,
  writeSignedCall,
} from "@cairn/messages";
import fc from "fast-check";
import { testKey } from "../../../vectors/keys.ts";
import { certificate, crypto, device, id, NOW, payment } from "../../../vectors/world.ts";

/** Codes, signed calls and records: what carries messages and looks at none. */
const bytes = fc.uint8Array({ maxLength: 40 });
const maybe = fc.option(bytes, { nil: undefined });

test("a code never ends in a space, so trimming takes nothing of it", () => {
  const item = fc.uint8Array({ minLength: 0, maxLength: 60 }).map((content) => encodeCbor(content));
  fc.assert(
    fc.property(item, item, fc.constantFrom(...(Object.keys(CODE_TYPES) as CodeType[])), (first, message, type) => {
      const text = writeCode({ type, certificate: first, message });
      assert.equal(text, text.trim());
      assert.match(text, /^CAIRN:1[RPOTV][0-9A-Z $%*+\-./:]*$/);
      assert.deepEqual(readCode(`\t${text} \n`), { type, certificate: first, message });
    }),
  );
});

test("a code of another type is named as such", () => {
  const code = readCode(writeCode({ type: "payment", certificate: certificate.bytes, message: payment.bytes }));
  assert.equal(expectCode(code, "request", "payment"), code);
  assert.throws(() => expectCode(code, "request"), { code: "CODE_TYPE_UNEXPECTED" });
});

const record = <Model>(model: { [Name in keyof Model]: fc.Arbitrary<Model[Name]> }) =>
  fc.record<Model>(model, { noNullPrototype: true });
const hint = fc.uint8Array({ minLength: 32, maxLength: 32 });
const uploads: fc.Arbitrary<UploadRecord> = fc
  .oneof(
    record({
      kind: fc.constant("payment" as const),
      payeeCertificate: bytes,
      request: bytes,
      certificate: bytes,
      payment: bytes,
      hint,
    }),
    record({
      kind: fc.constant("open-payment" as const),
      payeeCertificate: bytes,
      capture: bytes,
      certificate: bytes,
      payment: bytes,
      hint,
    }),
    record({ kind: fc.constant("void" as const), payeeCertificate: bytes, request: bytes, requestVoid: bytes }),
  )
  .chain((upload): fc.Arbitrary<UploadRecord> => {
    if (upload.kind === "void") return fc.constant(upload);
    const { hint: _, ...without } = upload;
    return fc.constantFrom(upload, without);
  });
const syncs: fc.Arbitrary<SyncRecord> = fc.oneof(
  record({ kind: fc.constant("closing" as const), closing: bytes }),
  record({
    kind: fc.constant("payment" as const),
    certificate: bytes,
    payment: bytes,
    payeeCertificate: bytes,
    request: bytes,
    receipt: maybe,
    requestVoid: maybe,
  }),
  record({
    kind: fc.constant("open-payment" as const),
    certificate: bytes,
    payment: bytes,
    payeeCertificate: fc.constant(undefined),
    receipt: fc.constant(undefined),
  }),
  record({
    kind: fc.constant("open-payment" as const),
    certificate: bytes,
    payment: bytes,
    payeeCertificate: bytes,
    receipt: bytes,
  }),
);

test("records come back as they were written, each with its own bytes", () => {
  fc.assert(
    fc.property(fc.array(uploads, { maxLength: 5 }), fc.array(syncs, { maxLength: 5 }), (up, down) => {
      const upload = splitRecords(joinRecords(up.map(encodeUploadRecord)));
      assert.deepEqual(
        upload.map((bytes) => readUploadRecord(bytes)),
        up,
      );
      assert.deepEqual(upload, up.map(encodeUploadRecord));
      const sync = splitRecords(joinRecords(down.map(encodeSyncRecord)));
      assert.deepEqual(
        sync.map((bytes) => readSyncRecord(bytes)),
        down,
      );
    }),
  );
});

test("a receipt and its payee certificate come together or not at all", () => {
  const malformed = { code: "BUNDLE_MALFORMED" };
  const some = Uint8Array.of(1);
  assert.throws(() => readSyncRecord(encodeCbor([3, some, some, null, some])), malformed);
  assert.throws(() => readSyncRecord(encodeCbor([3, some, some, some, null])), malformed);
});

test("as many records as are allowed, and not one more", () => {
  assert.equal(splitRecords(new Uint8Array(MAXIMUM_RECORDS)).length, MAXIMUM_RECORDS);
  assert.throws(() => splitRecords(new Uint8Array(MAXIMUM_RECORDS + 1)), { code: "MESSAGE_TOO_LARGE" });
});

const PURPOSES: readonly CallPurpose[] = [
  "enrolment",
  "upload",
  "sync",
  "outcomes",
  "devices",
  "loss",
  "events",
  "receiving",
  "refund",
];
const call = (purpose: CallPurpose, content: Uint8Array) =>
  writeSignedCall(
    purpose,
    { callerId: deviceIdOf(device.publicKey, crypto), nonce: id<ServerNonce>(0x5e, 24), content, issuedAt: NOW },
    { signer: device, crypto },
  );

test("a call is good for its own purpose, content and key alone", async () => {
  const content = encodeCbor([1, 2, 3]);
  for (const purpose of PURPOSES) {
    assert.equal(signedCall[purpose].name, `call-${purpose}`, "what is signed with it, in every version and language");
    const body = await call(purpose, content);
    for (const other of PURPOSES) {
      const read = readSignedCall(other, body, crypto);
      assert.deepEqual(Uint8Array.from(read.content), content);
      const verified = await verifyUnder(read.envelope, device.publicKey, crypto);
      assert.equal(isRefusal(verified), other !== purpose, `${purpose} read as ${other}`);
    }
    const { envelope } = readSignedCall(purpose, body, crypto);
    const stolen = await verifyUnder(envelope, testKey("other-device").publicKey, crypto);
    assert.ok(isRefusal(stolen) && stolen.code === "SIGNATURE_INVALID");
  }
});

test("any change of the content is noticed", async () => {
  const content = encodeCbor(new Uint8Array(20));
  const body = await call("upload", content);
  for (let at = body.length - content.length; at < body.length; at++)
    assert.throws(() => readSignedCall("upload", body.with(at, (body[at] ?? 0) ^ 1), crypto), {
      code: "MESSAGE_INCONSISTENT",
    });
  assert.throws(() => readSignedCall("upload", Uint8Array.from([...body, 0]), crypto), {
    code: "MESSAGE_INCONSISTENT",
  });
});

test("a body beyond the bound is refused before it is read", () => {
  assert.throws(() => readSignedCall("upload", new Uint8Array(MAXIMUM_BODY_BYTES + 1), crypto), {
    code: "MESSAGE_TOO_LARGE",
  });
  assert.throws(
    () => readSignedCall("upload", new Uint8Array(MAXIMUM_BODY_BYTES), crypto),
    (error) => error instanceof CodedError && error.code !== "MESSAGE_TOO_LARGE",
  );
  assert.throws(() => readSignedCall("upload", new Uint8Array(), crypto), { code: "BUNDLE_MALFORMED" });
});
