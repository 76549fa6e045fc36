import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber } from "@cairn/issue";
import { type CertificateId, type MessageId, type RequestHash, refusal } from "@cairn/messages";
import type { KnownPayment, SettlementResult } from "@cairn/settle";
import fc from "fast-check";
import { MemoryIssuerStore, SqliteIssuerStore } from "../src/index.ts";
import { SettlementMemory } from "../src/issuer/sqlite/settlement-memory.ts";
import { WaitingRecords } from "../src/issuer/sqlite/waiting-records.ts";
import {
  aPayment,
  aRecord,
  aWord,
  EUR,
  messageId,
  openPayer,
  payeeId,
  payersCopy,
  settleItems,
  terminalId,
} from "./issuer-fixture.ts";

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

/** Requests whose hashes differ from their beginning on, as all do. */
const aRequest = (number: number): RequestHash => `${hex(number * 0x1000_0000, 4)}${hex(number, 12)}` as RequestHash;

/** What a payment is follows from its number: some are open, some answer the request that the first one answers. */
const OPEN: readonly number[] = [3, 4];
const OF_THE_FIRST_REQUEST: readonly number[] = [5, 9];

/** One payment of a few, from one bringer of a few, the right one at its number or another under the same number. */
const itemArbitrary = fc.record({
  number: fc.integer({ min: 1, max: 9 }),
  isTwin: fc.integer({ max: 5, min: 0 }).map((chance) => chance === 0),
  bringer: fc.constantFrom("till 1", "till 2", "payer"),
  isRefused: fc.integer({ max: 14, min: 0 }).map((chance) => chance === 0),
});
const batchesArbitrary = fc.array(fc.array(itemArbitrary, { minLength: 1, maxLength: 3 }), { maxLength: 8 });

const item = (number: number, isTwin = false) => ({ number, isTwin, bringer: "till 1", isRefused: false }) as const;
/** The neighbour before a gap, and the one behind it, is what contradicts the one that fills it. */
const OUT_OF_ORDER_AFTER = [[item(5, true)], [item(7)], [item(9)], [item(6)]];
const OUT_OF_ORDER_BEFORE = [[item(6)], [item(8)], [item(9)], [item(5, true)]];

test("what is decided with the few payments that a batch needs is what is decided with all of them", async () => {
  await fc.assert(
    fc.asyncProperty(batchesArbitrary, async (batches) => {
      const stores = [new SqliteIssuerStore(":memory:"), new MemoryIssuerStore()];
      const seen: unknown[][] = [];
      for (const store of stores) {
        const payer = await openPayer(store, { balanceMinor: 6_000n, lineMinor: 3_000n });
        const outcomes: unknown[] = [];
        for (const batch of batches) {
          const items = batch.map(({ number, isTwin, bringer, isRefused }) => {
            const till = bringer === "till 2" ? 2 : 1;
            const twin = isTwin ? { paymentId: messageId(0x7000_0000 + number) } : {};
            const open = OPEN.includes(number) ? ({ kind: "open-payment", requestHash: undefined } as const) : {};
            const request = OF_THE_FIRST_REQUEST.includes(number) ? 1 : number;
            const item = aPayment(payer, number, {
              payeeWord: aWord({ payeeId: payeeId(till), terminalId: terminalId(till) }),
              refusal: isRefused ? refusal("AMOUNT_MISMATCH") : undefined,
              requestHash: aRequest(request),
              ...twin,
              ...open,
            });
            return bringer === "payer" ? payersCopy(item) : item;
          });
          outcomes.push(...(await settleItems(store, payer, items)));
        }
        const held = (await store.heldPayments()).map(({ paymentId, code }) => `${paymentId} ${code}`);
        outcomes.push((await store.certificate(payer.certificate))?.conflict);
        const cleared = await store.ledgerBalances("clearing");
        outcomes.push(held.toSorted(), cleared.map((each) => `${each.ledgerAccount} ${each.minor}`).toSorted());
        seen.push(outcomes);
        await store.close();
      }
      assert.deepEqual(seen[0], seen[1]);
    }),
    { numRuns: 300, examples: [[OUT_OF_ORDER_AFTER], [OUT_OF_ORDER_BEFORE]] },
  );
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
