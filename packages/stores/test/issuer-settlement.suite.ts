import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "@cairn/settle";
import type { IssuerStore } from "@cairn/stores";
import {
  aPayment,
  aRecord,
  aWord,
  certificateId,
  DAY,
  deviceId,
  enrolTerminal,
  messageId,
  NOW,
  openPayer,
  type Payer,
  POLICY,
  payeeId,
  payersCopy,
  requestHash,
  settleItems,
  signedPayment,
  someBytes,
  terminalId,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import type { OpenStore } from "./issuer-store.suite.ts";

const states = (outcomes: readonly { readonly state: string; readonly code: string | undefined }[]) =>
  outcomes.map(({ state, code }) => (code === undefined ? state : `${state} ${code}`));

async function stateOf(store: IssuerStore, payer: Payer, number = 1): Promise<string | undefined> {
  return states(await store.outcomes([aPayment(payer, number).paymentId]))[0];
}

/** Inbox, settlement, outcomes, evidence. */
export function settlementSuite(name: string, open: OpenStore): void {
  test(`${name}: a partition at work is left out of the next batch, a postponed record until its time`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const [first, second] = [1, 2].map((number) => aRecord(payer, { paymentId: aPayment(payer, number).paymentId }));
    assert.ok(first !== undefined && second !== undefined);
    await store.receive([first, second]);
    const { partition } = payer;
    assert.equal(await store.takeBatch(10, { except: new Set([partition]) }), undefined);
    const batch = await store.takeBatch(10, { now: 100 });
    const inboxIds = batch?.records.map((record) => record.inboxId) ?? [];
    assert.deepEqual([inboxIds.length, await store.waitingRecords()], [2, 2]);
    await store.postpone({ partition, inboxIds: inboxIds.slice(0, 1), until: 200 });
    const taken = async (now?: number) =>
      (await store.takeBatch(10, now === undefined ? {} : { now }))?.records.map((record) => record.inboxId);
    assert.deepEqual(await taken(199), inboxIds.slice(1), "one is left alone, the other is not held up");
    assert.deepEqual(await taken(200), inboxIds);
    assert.deepEqual(await taken(), inboxIds, "whoever names no time sees everything that waits");
    await store.postpone({ partition, inboxIds, until: 300 });
    assert.equal(await store.takeBatch(10, { now: 299 }), undefined);
    assert.deepEqual(states(await store.outcomes([aPayment(payer, 1).paymentId])), ["received"]);
  });

  test(`${name}: a record that is settled where it was taken in still carries what it was read as`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const decoded = { read: "before" };
    await store.receive([{ ...aRecord(payer, { paymentId: aPayment(payer).paymentId }), decoded }]);
    assert.equal((await store.takeBatch(10))?.records[0]?.decoded, decoded);
  });

  test(`${name}: a record is kept once, waits until it is settled, and stays as evidence`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const { paymentId } = aPayment(payer);
    const record = aRecord(payer, { paymentId });
    assert.equal(await store.takeBatch(10), undefined);
    await store.receive([record, record]);
    await store.receive([record]);
    const batch = await store.takeBatch(10);
    assert.equal(batch?.partition, payer.partition);
    assert.equal(batch?.records.length, 1);
    const [taken] = batch?.records ?? [];
    assert.deepEqual(
      { ...taken, inboxId: 0, bytes: [...(taken?.bytes ?? [])] },
      { ...record, bytes: [...record.bytes] },
    );
    assert.equal((await store.takeBatch(10))?.records.length, 1, "still there until it is settled");
    assert.deepEqual(states(await store.outcomes([paymentId])), ["received"]);
    assert.deepEqual(
      (await store.evidence(paymentId)).map((each) => [each.recordHash, each.decidedAt]),
      [[record.recordHash, undefined]],
    );
    await settleItems(store, payer, [aPayment(payer)]);
    const evidence = await store.evidence(paymentId);
    assert.equal(evidence.length, 2);
    assert.deepEqual([...(evidence[0]?.bytes ?? [])], [...record.bytes]);
    await store.close();
  });

  test(`${name}: batches are of one partition, oldest first, and partitions take turns`, async () => {
    const store = await open();
    const record = (partition: number, number: number) =>
      aRecord({ partition }, { receivedAt: NOW + number, bytes: someBytes(number) });
    await store.receive([record(5, 1), record(9, 2), record(5, 3), record(5, 4)]);
    const seen: [number, number[]][] = [];
    for (;;) {
      const batch = await store.takeBatch(2);
      if (batch === undefined) break;
      seen.push([batch.partition, batch.records.map((each) => each.receivedAt - NOW)]);
      const { partition, records } = batch;
      await store.settle({
        partition,
        records,
        items: [],
        rejected: [],
        at: NOW,
        decide: (state, items) => settle(state, items, { now: NOW, policy: POLICY }),
      });
    }
    assert.deepEqual(seen, [
      [5, [1, 3]],
      [9, [2]],
      [5, [4]],
    ]);
    await store.close();
  });

  test(`${name}: a payment is settled once: balance first, then credit, then the reserve`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 1_500n, lineMinor: 1_000n });
    const items = [1, 2, 3].map((number) => aPayment(payer, number));
    const outcomes = await settleItems(store, payer, items);
    assert.deepEqual(states(outcomes), ["settled", "settled", "settled"]);
    const kept = await store.outcomes(items.map((item) => item.paymentId));
    assert.deepEqual(
      kept.map((outcome) => outcome.funding),
      [
        { balanceMinor: 1_000n, creditMinor: 0n, reserveMinor: 0n },
        { balanceMinor: 500n, creditMinor: 500n, reserveMinor: 0n },
        { balanceMinor: 0n, creditMinor: 500n, reserveMinor: 500n },
      ],
    );
    const again = await settleItems(store, payer, items);
    assert.deepEqual(
      again,
      outcomes.map((outcome) => ({ ...outcome, repeated: true })),
    );
    const account = await store.account(payer.account);
    assert.deepEqual([account?.balanceMinor, account?.credit.usedMinor], [0n, 1_000n]);
    const certificate = await store.certificate(payer.certificate);
    assert.deepEqual([certificate?.settledMinor, certificate?.releasedMinor], [3_000n, 0n]);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });

  test(`${name}: an outcome says all that is known of a payment`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const item = aPayment(payer, 1, {
      kind: "open-payment",
      requestHash: undefined,
      payeeWord: aWord({ takenMinor: 400n }),
    });
    await settleItems(store, payer, [item], NOW + 7);
    const expected = {
      paymentId: item.paymentId,
      certificateId: payer.certificate,
      account: payer.account,
      payeeId: payeeId(1),
      terminalId: terminalId(1),
      state: "settled",
      code: undefined,
      sentence: "Paid.",
      amountMinor: 1_000n,
      takenMinor: 400n,
      currency: "EUR",
      funding: { balanceMinor: 400n, creditMinor: 0n, reserveMinor: 0n },
      decidedAt: NOW + 7,
    };
    assert.deepEqual(await store.outcomes([item.paymentId, messageId(99), item.paymentId]), [expected]);
    assert.deepEqual(await store.outcomesOfCertificate(payer.certificate), [expected]);
    assert.deepEqual(await store.outcomesOfCertificate(certificateId(9)), []);
    assert.equal((await store.certificate(payer.certificate))?.releasedMinor, 600n);
    await store.close();
  });

  test(`${name}: a decision that throws leaves the batch in the inbox and writes nothing`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await store.receive([aRecord(payer)]);
    const batch = await store.takeBatch(10);
    assert.ok(batch !== undefined);
    const failing = store.settle({
      ...batch,
      items: [],
      rejected: [],
      at: NOW,
      decide: () => {
        throw new Error("decided to fail");
      },
    });
    await assert.rejects(failing, /decided to fail/);
    assert.equal((await store.takeBatch(10))?.records.length, 1);
    // Half a result: the entry is refused by the books, so the payment is not written either.
    const item = aPayment(payer);
    const unbacked = store.settle({
      ...batch,
      items: [item],
      rejected: [],
      at: NOW,
      decide: (state, items) => {
        const rich = new Map(state.funds);
        rich.set(payer.account, { account: payer.account, balanceMinor: 99_999n, creditAvailableMinor: 0n });
        const bigger = items.map((each) => ({
          ...each,
          amountMinor: 20_000n,
          payeeWord: aWord({ takenMinor: 20_000n }),
        }));
        return settle({ ...state, funds: rich }, bigger, { now: NOW, policy: POLICY });
      },
    });
    await assert.rejects(unbacked);
    assert.equal(await stateOf(store, payer), undefined);
    assert.equal((await store.account(payer.account))?.balanceMinor, 10_000n);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });

  test(`${name}: a payment is not settled in another account's partition, nor under a certificate that is not there`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const astray = { ...payer, partition: (payer.partition + 1) % 256 };
    await assert.rejects(settleItems(store, astray, [aPayment(payer)]), rejectsWith("STORE_INPUT_INVALID"));
    assert.deepEqual(await store.outcomesOfCertificate(payer.certificate), []);
    await enrolTerminal(store, 1, 1);
    const unknown = aPayment({ ...payer, certificate: certificateId(9) }, 2);
    assert.deepEqual(states(await settleItems(store, payer, [unknown])), ["refused CERTIFICATE_UNKNOWN"]);
    assert.deepEqual(await store.outcomes([unknown.paymentId]), []);
    const viewer = { payeeId: payeeId(1), terminalId: terminalId(1) };
    assert.deepEqual(states(await store.outcomes([unknown.paymentId], viewer)), ["refused CERTIFICATE_UNKNOWN"]);
    await store.close();
  });

  test(`${name}: a rejected record is kept with its code and says nothing of the payment, but to its sender`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await enrolTerminal(store, 1, 1);
    await enrolTerminal(store, 2, 2);
    const { paymentId } = aPayment(payer);
    await store.receive([aRecord(payer, { paymentId, senderId: terminalId(2) })]);
    const batch = await store.takeBatch(10);
    const [record] = batch?.records ?? [];
    assert.ok(batch !== undefined && record !== undefined);
    const decide = (state: Parameters<typeof settle>[0], items: Parameters<typeof settle>[1]) =>
      settle(state, items, { now: NOW, policy: POLICY });
    const rejected = [{ record, paymentId, code: "SIGNATURE_INVALID", sentence: "Not genuine." }];
    await store.settle({ ...batch, items: [], rejected, at: NOW, decide });
    assert.equal(await store.takeBatch(10), undefined);
    assert.deepEqual(await store.outcomes([paymentId]), []);
    const viewer = { payeeId: payeeId(2), terminalId: terminalId(2) };
    const [told] = await store.outcomes([paymentId], viewer);
    assert.deepEqual([told?.state, told?.code, told?.sentence], ["refused", "SIGNATURE_INVALID", "Not genuine."]);
    assert.deepEqual(await store.outcomes([paymentId], { payeeId: payeeId(1), terminalId: terminalId(1) }), []);
    const [evidence] = await store.evidence(paymentId);
    assert.deepEqual(
      [evidence?.code, evidence?.sentence, evidence?.decidedAt],
      ["SIGNATURE_INVALID", "Not genuine.", NOW],
    );
    await settleItems(store, payer, [aPayment(payer)]);
    assert.equal(await stateOf(store, payer), "settled");
    await store.close();
  });

  test(`${name}: each sees its own: the payee its claim, the account its payments, others nothing`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const other = await openPayer(store);
    for (const till of [1, 2, 3]) await enrolTerminal(store, till === 3 ? 1 : till, till);
    const captured = (till: number, shop: number, takenMinor: bigint) =>
      aPayment(payer, 1, {
        kind: "open-payment",
        requestHash: undefined,
        payeeWord: aWord({ terminalId: terminalId(till), payeeId: payeeId(shop), takenMinor }),
      });
    await settleItems(store, payer, [captured(1, 1, 400n), captured(2, 2, 300n)]);
    const { paymentId } = captured(1, 1, 400n);
    const seenBy = async (viewer: Parameters<IssuerStore["outcomes"]>[1]) =>
      states(await store.outcomes([paymentId], viewer));
    const elsewhere = "held OPEN_PAYMENT_CAPTURED_ELSEWHERE";
    assert.deepEqual(await seenBy(undefined), ["settled"]);
    assert.deepEqual(await seenBy({ account: payer.account }), ["settled"]);
    assert.deepEqual(await seenBy({ account: other.account }), []);
    assert.deepEqual(await seenBy({ payeeId: payeeId(1), terminalId: terminalId(1) }), ["settled"]);
    assert.deepEqual(await seenBy({ payeeId: payeeId(1), terminalId: terminalId(3) }), ["settled"]);
    assert.deepEqual(await seenBy({ payeeId: payeeId(2), terminalId: terminalId(2) }), [elsewhere]);
    assert.deepEqual(await seenBy({ payeeId: payeeId(3), terminalId: terminalId(4) }), []);
    assert.deepEqual(
      (await store.heldPayments()).map(({ payeeId: payee, state, takenMinor }) => [payee, state, takenMinor]),
      [["SHOP-2", "held", 0n]],
    );
    // What was claimed before is known in the next batch: the answer is the same one.
    const [again] = await settleItems(store, payer, [captured(2, 2, 300n)]);
    assert.deepEqual([again?.code, again?.repeated], ["OPEN_PAYMENT_CAPTURED_ELSEWHERE", true]);
    await store.close();
  });

  test(`${name}: a waiting record is told to its sender as received, also while the payer's copy is known`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await enrolTerminal(store, 1, 1);
    const item = aPayment(payer);
    await settleItems(store, payer, [payersCopy(item)]);
    await store.receive([aRecord(payer, { paymentId: item.paymentId })]);
    const viewer = { payeeId: payeeId(1), terminalId: terminalId(1) };
    assert.deepEqual(states(await store.outcomes([item.paymentId], viewer)), ["received"]);
    assert.deepEqual(states(await store.outcomes([item.paymentId], { account: payer.account })), ["pending"]);
    const next = aPayment(payer, 2).paymentId;
    await store.receive([aRecord(payer, { paymentId: next, broughtBy: "payer", senderId: deviceId(payer.account) })]);
    assert.deepEqual(states(await store.outcomes([next], { account: payer.account })), ["received"]);
    assert.deepEqual(states(await store.outcomes([next], viewer)), []);
    await store.close();
  });

  test(`${name}: a conflict keeps both messages, withdraws the certificate and freezes until resolved`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    const [first, fork] = [aPayment(payer, 1), { ...aPayment(payer, 1), paymentId: messageId(77) }];
    await settleItems(store, payer, [first]);
    await settleItems(store, payer, [{ ...fork, requestHash: requestHash(77) }], NOW + 3);
    const [conflict] = await store.conflicts();
    assert.deepEqual(
      { ...conflict, firstBytes: [...(conflict?.firstBytes ?? [])], secondBytes: [...(conflict?.secondBytes ?? [])] },
      {
        certificateId: payer.certificate,
        account: payer.account,
        first: first.paymentId,
        second: messageId(77),
        kind: "two-payments",
        provenAt: NOW + 3,
        firstBytes: [...signedPayment(first.paymentId)],
        secondBytes: [...signedPayment(messageId(77))],
        resolvedAt: undefined,
      },
    );
    const certificate = await store.certificate(payer.certificate);
    assert.deepEqual([certificate?.revokedAt, certificate?.conflict?.second], [NOW + 3, messageId(77)]);
    assert.deepEqual((await store.revokedIndices()).revoked, [certificate?.statusIndex]);
    assert.equal((await store.account(payer.account))?.unresolvedConflicts, 1);
    assert.deepEqual(states(await store.outcomes([messageId(77)])), ["held SEQUENCE_CONFLICT"]);
    assert.equal((await store.heldPayments()).length, 1);
    assert.equal(await store.resolveConflicts(payer.account, NOW + 9), 1);
    assert.equal(await store.resolveConflicts(payer.account, NOW + 10), 0);
    assert.equal((await store.account(payer.account))?.unresolvedConflicts, 0);
    assert.equal((await store.conflicts())[0]?.resolvedAt, NOW + 9);
    await store.close();
  });

  test(`${name}: pending payments are given back after the deadline, not before`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await settleItems(store, payer, [
      payersCopy(aPayment(payer, 1)),
      payersCopy(aPayment(payer, 2)),
      aPayment(payer, 3),
    ]);
    assert.equal(await store.releaseOverdue({ before: NOW + DAY, at: NOW }), 0);
    assert.equal(await store.releaseOverdue({ before: NOW + DAY + 1, at: NOW + 9 }), 2);
    assert.equal(await store.releaseOverdue({ before: NOW + DAY + 1, at: NOW + 10 }), 0);
    const outcomes = await store.outcomesOfCertificate(payer.certificate);
    assert.deepEqual(states(outcomes), ["released NOT_UPLOADED_IN_TIME", "released NOT_UPLOADED_IN_TIME", "settled"]);
    assert.equal(outcomes[0]?.decidedAt, NOW + 9);
    assert.equal((await store.certificate(payer.certificate))?.releasedMinor, 2_000n);
    const late = aPayment(payer, 1, { receivedAt: NOW + DAY + POLICY.uploadDeadlineSeconds + 1 });
    await settleItems(store, payer, [late]);
    assert.equal(await stateOf(store, payer), "held UPLOAD_TOO_LATE");
    assert.equal((await store.certificate(payer.certificate))?.releasedMinor, 1_000n);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });

  test(`${name}: of batches that are settled at one moment each sees its own voids`, async () => {
    const store = await open();
    const payers = [await openPayer(store), await openPayer(store), await openPayer(store)];
    const [one, , three] = payers;
    for (const [payer, number] of [
      [one, 1],
      [three, 2],
    ] as const) {
      if (payer === undefined) throw new Error("There are three payers.");
      await store.recordVoid({
        requestHash: aPayment(payer, number).requestHash ?? requestHash(0),
        payeeId: payeeId(1),
        terminalId: terminalId(1),
        bytes: someBytes(1),
        receivedAt: NOW,
      });
    }
    const settled = await Promise.all(
      payers.map((payer) => settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2)])),
    );
    assert.deepEqual(
      settled.map((outcomes) => states(outcomes)),
      [
        ["refused REQUEST_VOIDED", "settled"],
        ["settled", "settled"],
        ["settled", "refused REQUEST_VOIDED"],
      ],
    );
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });

  test(`${name}: a void that the payee brings releases the payment, and its acceptance is refused`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await settleItems(store, payer, [payersCopy(aPayment(payer, 1)), payersCopy(aPayment(payer, 2))]);
    const requestVoid = (number: number) => ({
      requestHash: aPayment(payer, number).requestHash ?? requestHash(0),
      payeeId: payeeId(1),
      terminalId: terminalId(1),
      bytes: someBytes(1),
      receivedAt: NOW,
    });
    assert.equal(await store.recordVoid(requestVoid(1)), "recorded");
    assert.equal(await store.recordVoid(requestVoid(1)), "repeated");
    assert.equal(await store.releaseOverdue({ before: NOW, at: NOW }), 1);
    assert.equal(await stateOf(store, payer), "released REQUEST_VOIDED");
    await store.recordVoid(requestVoid(3));
    assert.deepEqual(states(await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 3)])), [
      "refused REQUEST_VOIDED",
      "refused REQUEST_VOIDED",
    ]);
    assert.equal(await stateOf(store, payer, 3), "released REQUEST_VOIDED");
    assert.equal(await stateOf(store, payer, 2), "pending");
    await store.close();
  });
}
