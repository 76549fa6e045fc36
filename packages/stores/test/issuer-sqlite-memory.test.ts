import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber } from "@cairn/issue";
import type { CertificateId, MessageId, RequestHash } from "@cairn/messages";
import type { KnownPayment, SettlementResult } from "@cairn/settle";
import { SettlementMemory } from "../src/issuer/sqlite/settlement-memory.ts";
import { WaitingRecords } from "../src/issuer/sqlite/waiting-records.ts";
import { aRecord, EUR, payeeId, terminalId } from "./issuer-fixture.ts";

const hex = (number: number, bytes: number): string => number.toString(16).padStart(2 * bytes, "0");
const certificateId = (number: number): CertificateId => hex(number, 16) as CertificateId;
const claim = { payeeId: payeeId(1), terminalId: terminalId(1), claimedMinor: 1n } as const;

function aKnownPayment(number: number, sideClaims: number): KnownPayment {
  return {
    paymentId: hex(number, 32) as MessageId,
    kind: "open-payment",
    sequence: number,
    spentMinor: BigInt(number),
    amountMinor: 1n,
    previous: hex(number, 16) as KnownPayment["previous"],
    requestHash: `${hex(number * 4, 4)}${hex(0, 12)}` as RequestHash,
    state: "settled",
    code: undefined,
    claim: undefined,
    takenMinor: 1n,
    funding: undefined,
    sideClaims: Array.from({ length: sideClaims }, () => ({
      ...claim,
      state: "refused",
      code: "PAYEE_CEILING_REACHED",
    })),
  };
}

function aCertificate(number: number, payments: readonly KnownPayment[]) {
  const state = {
    certificateId: certificateId(number),
    account: accountNumber(1),
    currency: EUR,
    limitMinor: 1_000n,
    issuedAt: 0,
    expiresAt: 1,
    revokedAt: undefined,
    closing: undefined,
    conflict: undefined,
    payments,
  };
  return { number, state };
}

/** How many of so many certificates are still remembered, and whether they are the last ones. */
function remembered(memory: SettlementMemory, certificates: number): number {
  const known = Array.from({ length: certificates }, (_, number) => memory.get(certificateId(number)) !== undefined);
  const first = known.indexOf(true);
  assert.ok(known.slice(first).every(Boolean), "the oldest go first");
  return certificates - first;
}

test("what settlement remembers is bounded by its bytes: payments, side claims and bare certificates alike", () => {
  const bound = 24 * 1024 * 1024;
  for (const [payments, sideClaims, least, most] of [
    [1_000, 0, 190, 750],
    [1, 100, 190, 1_900],
    [0, 0, 3_800, 13_000],
  ] as const) {
    const memory = new SettlementMemory();
    const all = Array.from({ length: payments }, (_, number) => aKnownPayment(number + 1, sideClaims));
    const count = most + 1_000;
    for (let number = 0; number < count; number++) memory.remember(aCertificate(number, all));
    const kept = remembered(memory, count);
    assert.ok(kept >= least && kept <= most, `${kept} certificates of ${payments} payments`);
    assert.ok(kept * (payments * 30 + sideClaims * 200) <= bound);
  }
});

const settledAs = (payment: KnownPayment): SettlementResult => ({
  entries: [],
  outcomes: [],
  exposures: [],
  sideClaims: [],
  conflicts: [],
  payments: [{ certificateId: certificateId(0), payment, addedBy: undefined, entry: undefined }],
});

test("a certificate that grows, is forgotten or told anew is counted as it is, not as often as it was told", () => {
  const memory = new SettlementMemory();
  memory.remember(aCertificate(0, [aKnownPayment(1, 0)]));
  // Were each of these added up, the others would push it out.
  for (let round = 0; round < 2_000; round++)
    for (let number = 1; number <= 300; number++) memory.apply(settledAs(aKnownPayment(number, 0)));
  const counted = memory.get(certificateId(0))?.bytes;
  for (let number = 1; number < 1_000; number++) {
    memory.remember(aCertificate(number, [aKnownPayment(number, 0)]));
    memory.remember(aCertificate(number, []));
    memory.forget(certificateId(number));
  }
  const alone = new SettlementMemory();
  alone.remember(
    aCertificate(
      0,
      Array.from({ length: 300 }, (_, number) => aKnownPayment(number + 1, 0)),
    ),
  );
  assert.equal(memory.get(certificateId(0))?.bytes, counted);
  assert.equal(alone.get(certificateId(0))?.bytes, counted);
});

test("two requests that begin alike, or two payments of one number, leave it to all payments to tell", () => {
  const beginning = (rest: string) => `aabbccdd${rest}` as RequestHash;
  const one = { ...aKnownPayment(1, 0), requestHash: beginning("00".repeat(12)) };
  const other = { ...aKnownPayment(2, 0), requestHash: beginning("11".repeat(12)) };
  const twin = { ...aKnownPayment(3, 0), sequence: 1 };
  for (const second of [other, twin]) {
    const memory = new SettlementMemory();
    memory.remember(aCertificate(0, [one]));
    assert.ok(memory.get(certificateId(0)));
    memory.apply(settledAs(second));
    assert.equal(memory.get(certificateId(0)), undefined);
    memory.remember(aCertificate(0, [one, second]));
    assert.equal(memory.get(certificateId(0)), undefined);
  }
});

test("records that wait are kept ready up to a sum of bytes; the others are named, and read in their turn", () => {
  const waiting = new WaitingRecords();
  const record = { ...aRecord({ partition: 1 }), bytes: new Uint8Array(450_000) };
  const add = (from: number) => {
    for (let inboxId = from; inboxId < from + 300; inboxId++) waiting.add(1, inboxId, record);
  };
  add(1);
  const first = waiting.take(300, {})?.records ?? [];
  const ready = first.filter((each) => each.record !== undefined).length;
  assert.ok(ready > 100 && ready < 200, `${ready} of 300`);
  assert.equal(first.length, 300);
  waiting.done(
    1,
    first.map(({ inboxId }) => inboxId),
  );
  add(301);
  assert.equal(waiting.take(300, {})?.records.filter((each) => each.record !== undefined).length, ready);
});
