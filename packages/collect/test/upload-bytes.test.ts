/** A call has a bound in bytes beside the one in records: no journal is so full that its upload would be turned away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UploadItem } from "@cairn/collect";
import {
  encodeUploadRecord,
  identifier,
  joinRecords,
  MAXIMUM_BODY_BYTES,
  MAXIMUM_MESSAGE_BYTES,
  MAXIMUM_RECORDS,
  type MessageId,
  type RequestHash,
  readSignedCall,
  requestHashOf,
  type ServerNonce,
  splitRecords,
  terminalIdOf,
  writeSignedCall,
} from "@cairn/messages";
import {
  chargeFor,
  countingRandom,
  crypto,
  makeIssuer,
  makePayer,
  makeTerminal,
  NOW,
  type TerminalWorld,
} from "./world.ts";

const issuer = makeIssuer();
const HELD = 600;
const freshId = (): MessageId => identifier<MessageId>(crypto.sha256(countingRandom.bytes(32)), 32);
const longest = (): Uint8Array => new Uint8Array(MAXIMUM_MESSAGE_BYTES);

/**
 * Payments of messages that are about as long as any may be: three a record, some 6 kB. The journal keeps what it is
 * given. Some number of records is together just as long as a call may be: whoever leaves no room for the envelope
 * takes one too many.
 */
async function fullTerminal(): Promise<TerminalWorld> {
  const world = await makeTerminal(issuer);
  const { terminal, journal, payee } = world;
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 1n);
  const { signed, codeText } = await payer.pay(asked.codeText);
  assert.equal((await terminal.accept(codeText)).kind, "accepted");
  const real = await journal.acceptance(signed.messageId);
  assert.ok(real !== undefined);
  const { payeeCertificateId } = payee.content;
  const [first] = (await terminal.buildUpload({ limit: 1 })).records;
  assert.ok(first !== undefined);
  const messages = { request: longest(), certificate: longest(), payment: longest() };
  const record = { kind: "payment", payeeCertificate: payee.bytes, ...messages, hint: undefined } as const;
  const longestRecord = encodeUploadRecord(record).length;
  const room = MAXIMUM_BODY_BYTES - first.length;
  const tooMany = Math.ceil(room / longestRecord);
  const recordLength = Math.floor(room / tooMany);
  const longerByOne = room - tooMany * recordLength;
  for (let number = 1; number < HELD; number++) {
    const request = longest().slice(longestRecord - recordLength - (number <= longerByOne ? 1 : 0));
    const paymentId = freshId();
    const requestId = freshId();
    const requestHash: RequestHash = requestHashOf(requestId);
    await journal.recordRequest({ requestId, requestHash, request, payeeCertificateId, issuedAt: NOW });
    const acceptance = {
      ...real,
      paymentId,
      requestId,
      sequence: number + 1,
      certificate: longest(),
      payment: longest(),
    };
    await journal.decideAcceptance({ paymentId, certificateId: real.certificateId, requestHash }, () => ({
      result: undefined,
      write: { kind: "accept", acceptance, issuerTime: NOW },
    }));
  }
  return world;
}

/** As the server reads it. */
async function bodyOf({ signer }: TerminalWorld, records: readonly Uint8Array[]): Promise<Uint8Array> {
  const call = {
    callerId: terminalIdOf(signer.publicKey, crypto),
    nonce: identifier<ServerNonce>(new Uint8Array(24), 24),
    issuedAt: NOW,
    content: joinRecords(records),
  };
  return writeSignedCall("upload", call, { signer, crypto });
}

test("an upload is never longer than the server takes, and all of it comes in the end", async () => {
  const world = await fullTerminal();
  const { terminal, enrolment } = world;
  const brought: UploadItem[] = [];
  let calls = 0;
  for (;;) {
    const upload = await terminal.buildUpload({ limit: MAXIMUM_RECORDS });
    if (upload.items.length === 0) break;
    const body = await bodyOf(world, upload.records);
    assert.ok(body.length <= MAXIMUM_BODY_BYTES, `${body.length} bytes`);
    const { content } = readSignedCall("upload", body, crypto);
    assert.equal(splitRecords(content).length, upload.records.length);
    brought.push(...upload.items);
    const left = HELD - brought.length;
    const longestRecord = Math.max(...upload.records.map(({ length }) => length));
    if (left > 0) assert.ok(body.length + longestRecord + 1_024 > MAXIMUM_BODY_BYTES, "there was no room for another");
    const records = upload.items.map((item, index) => ({
      index,
      paymentId: item.kind === "payment" ? item.paymentId : null,
      state: "received" as const,
      code: null,
      sentence: null,
    }));
    await terminal.applyUploadAnswer(upload, { ...enrolment, records });
    calls += 1;
    assert.ok(calls < 9, "it never ends");
  }
  assert.ok(calls > 1, "the bound in bytes was met");
  assert.equal(new Set(brought.map((item) => (item.kind === "payment" ? item.paymentId : ""))).size, HELD);
});
