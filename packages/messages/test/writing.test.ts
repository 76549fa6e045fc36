import assert from "node:assert/strict";
import { test } from "node:test";
import { CborCursor, encodeCbor } from "@cairn/cose";
import {
  type Currency,
  MAXIMUM_MINOR,
  MessageError,
  payeeCertificate,
  payment,
  paymentRequest,
  prepareMessage,
  sameBytes,
  trustList,
  userCertificate,
} from "@cairn/messages";
import { certificate, crypto, payment as paid, payee, request, signTrustList } from "../../../vectors/world.ts";
import { MAXIMUM_SEQUENCE, MAXIMUM_TIME_SECONDS, MAXIMUM_TRUST_LIST_ENTRIES } from "../src/bounds.ts";
import {
  bytesId,
  currencyCode,
  entriesOf,
  optional,
  readFields,
  required,
  timeSeconds,
  writeFields,
} from "../src/fields.ts";
import { IDENTIFIER_BYTES, type KeyId } from "../src/identifiers.ts";
import { defineMessage } from "../src/message.ts";

/** What breaks a bound never gets as far as a key: it is refused while it is written. */
const refuses = (write: () => unknown, what: string): void => {
  assert.throws(write, (error) => error instanceof MessageError && error.code === "MESSAGE_FIELD_INVALID", what);
};

test("amounts, numbers and times outside their bounds are not written", () => {
  const write = (changes: Partial<typeof paid.content>) =>
    prepareMessage(payment, { ...paid.content, ...changes }, crypto);
  for (const minor of [-1n, MAXIMUM_MINOR + 1n]) refuses(() => write({ spentMinor: minor }), `${minor}`);
  for (const sequence of [-1, 1.5, Number.NaN, MAXIMUM_SEQUENCE + 1]) refuses(() => write({ sequence }), `${sequence}`);
  refuses(() => write({ issuedAt: MAXIMUM_TIME_SECONDS + 1 }), "a time");
  const most = { spentMinor: MAXIMUM_MINOR, sequence: MAXIMUM_SEQUENCE, issuedAt: MAXIMUM_TIME_SECONDS };
  const least = { amountMinor: 0n, spentMinor: 0n, sequence: 0, issuedAt: 0 };
  for (const each of [most, least]) assert.deepEqual(write(each).content, { ...paid.content, ...each });
});

test("what the other side would not read is not written", () => {
  const written = { ...request.content, currency: "eur" as Currency };
  refuses(() => prepareMessage(paymentRequest, written, crypto), "a currency in small letters");
  const { terms } = certificate.content;
  const more = { ...certificate.content, terms: { ...terms, perPaymentCapMinor: terms.limitMinor + 1n } };
  assert.throws(() => prepareMessage(userCertificate, more, crypto), MessageError);
  const { nonce } = request.content;
  for (const other of [nonce.replace(/^./, "g"), nonce.slice(2), `${nonce}00`])
    refuses(() => prepareMessage(paymentRequest, { ...request.content, nonce: other as never }, crypto), other);
});

test("what has another type than its field is not written, whatever it reads like as text", () => {
  const asked = (changes: object) => () => prepareMessage(paymentRequest, { ...request.content, ...changes }, crypto);
  refuses(asked({ currency: ["EUR"] }), "a list for a currency");
  refuses(asked({ amountMinor: 5 }), "a number for minor units");
  refuses(asked({ orderReference: 5 }), "a number for text that people read");
  refuses(asked({ nonce: 5 }), "a number for bytes");
  const { content } = payee;
  refuses(() => prepareMessage(payeeCertificate, { ...content, payeeId: 5 as never }, crypto), "a number for an id");
  const terms = { ...certificate.content.terms, protection: 4 as never };
  refuses(() => prepareMessage(userCertificate, { ...certificate.content, terms }, crypto), "a number of no set");
});

test("a field that must be there is missed when it is written, one that may be absent is left out", () => {
  const missing = (error: unknown) => error instanceof MessageError && error.code === "MESSAGE_FIELD_MISSING";
  const { sequence: _, ...rest } = paid.content;
  assert.throws(() => prepareMessage(payment, rest as typeof paid.content, crypto), missing);
  const { orderReference, ...plain } = request.content;
  assert.ok(orderReference !== undefined);
  assert.doesNotThrow(() => prepareMessage(paymentRequest, plain, crypto));
});

test("a list longer than a reader takes is not written", async () => {
  const list = await signTrustList();
  const write = (length: number) => () => {
    const keys = Array.from({ length }, () => list.content.keys[0] as (typeof list.content.keys)[0]);
    return prepareMessage(trustList, { ...list.content, keys }, crypto);
  };
  assert.doesNotThrow(write(MAXIMUM_TRUST_LIST_ENTRIES));
  refuses(write(MAXIMUM_TRUST_LIST_ENTRIES + 1), "one entry more");
});

test("fields are written and read in the order of their labels, whatever their sign and their place in the table", () => {
  const table = {
    second: required(-2, timeSeconds),
    zero: optional(0, timeSeconds),
    first: required(-1, timeSeconds),
    five: required(5, timeSeconds),
  };
  const entries = entriesOf(table);
  assert.deepEqual(
    entries.map(([name]) => name),
    ["zero", "five", "first", "second"],
  );
  const content = { zero: 1, five: 2, first: 3, second: 4 };
  const map = writeFields(entries, content);
  const readFrom = (bytes: Uint8Array): Record<string, unknown> => {
    const read: Record<string, unknown> = {};
    readFields(entries, new CborCursor(bytes), read);
    return read;
  };
  assert.deepEqual(readFrom(encodeCbor(map)), content);
  for (const [name, { label, optional: mayLack }] of Object.entries(table)) {
    const lacking = encodeCbor(new Map([...map].filter(([key]) => key !== label)));
    if (mayLack) assert.deepEqual(readFrom(lacking), { five: 2, first: 3, second: 4 });
    else assert.throws(() => readFrom(lacking), { code: "MESSAGE_FIELD_MISSING", detail: name });
  }
});

test("currencies that share letters are told apart, however often they are read", () => {
  for (const code of ["EUR", "EUS", "EVR", "FUR", "REU", "EUR", "EUS", "EVR", "FUR", "REU"])
    assert.equal(currencyCode.read(new CborCursor(encodeCbor(code)), "currency"), code);
});

test("a message of exactly the longest length is written, one byte more is not", () => {
  const content = { issuerKeyId: "01020304" as KeyId, issuedAt: 5 };
  const kindOf = (maximumBytes: number) =>
    defineMessage({
      name: "probe",
      maximumBytes,
      keyId: { name: "issuerKeyId", codec: bytesId<KeyId>(IDENTIFIER_BYTES.keyId) },
      fields: { issuedAt: required(6, timeSeconds) },
    });
  const { length } = prepareMessage(kindOf(2_048), content, crypto).finish(new Uint8Array(64));
  const isWritten = (maximumBytes: number): boolean => {
    try {
      prepareMessage(kindOf(maximumBytes), content, crypto);
      return true;
    } catch (error) {
      assert.ok(error instanceof MessageError && error.code === "MESSAGE_TOO_LARGE");
      return false;
    }
  };
  const shortest = Array.from({ length: 64 }, (_, more) => length - 32 + more).find(isWritten) ?? 0;
  // What is written fits the bound; the bound may be some bytes tighter than needed, never looser.
  assert.ok(shortest >= length && shortest <= length + 8, `${length} bytes, bound ${shortest}`);
});

test("bytes are the same when length and every byte are", () => {
  assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  for (const other of [[1, 3], [1], [1, 2, 0]])
    assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.from(other)), false);
});

test("an error tells its detail behind its sentence, and only when it has one", () => {
  assert.match(new MessageError("MESSAGE_FIELD_INVALID", "amount").message, /\. \(amount\)$/);
  assert.match(new MessageError("MESSAGE_FIELD_INVALID").message, /[^)]$/);
});
