import assert from "node:assert/strict";
import { test } from "node:test";
import type { InboxRecord, IssuerStore } from "@cairn/stores";
import fc from "fast-check";
import {
  aPayment,
  aRecord,
  aWord,
  DAY,
  NOW,
  openAccount,
  openPayer,
  payeeId,
  payersCopy,
  settleItems,
  terminalId,
} from "./issuer-fixture.ts";
import type { OpenStore } from "./issuer-store.suite.ts";

type Line = { readonly payments: number; readonly amountMinor: bigint; readonly takenMinor: bigint };

/** Wherever a time is cut in two, both parts add up to the whole, and the whole to every payment that came in. */
async function assertReconciles(store: IssuerStore, named: ReadonlySet<string>, end: number): Promise<void> {
  const told = async (from: number, to: number): Promise<Map<string, Line>> =>
    new Map(
      (await store.reconcile({ from, to })).map(({ state, currency, ...line }) => [`${state} ${currency}`, line]),
    );
  const whole = await told(NOW, NOW + end + 1);
  assert.equal(
    [...whole.values()].reduce((sum, { payments }) => sum + payments, 0),
    named.size,
  );
  const cleared = (await store.trialBalance()).filter(({ ledgerAccount }) => ledgerAccount.startsWith("clearing:"));
  assert.equal(
    [...whole.values()].reduce((sum, { takenMinor }) => sum + takenMinor, 0n),
    cleared.reduce((sum, { minor }) => sum - minor, 0n),
  );
  for (let cut = 0; cut <= end; cut++) {
    const parts = [await told(NOW, NOW + cut), await told(NOW + cut, NOW + end + 1)];
    for (const [key, line] of whole) {
      const sum = (of: (part: Line) => bigint | number): bigint =>
        parts.reduce((total, part) => total + BigInt(of(part.get(key) ?? NOTHING)), 0n);
      assert.equal(
        sum(({ payments }) => payments),
        BigInt(line.payments),
        key,
      );
      assert.equal(
        sum(({ amountMinor }) => amountMinor),
        line.amountMinor,
        key,
      );
      assert.equal(
        sum(({ takenMinor }) => takenMinor),
        line.takenMinor,
        key,
      );
    }
  }
}
const NOTHING: Line = { payments: 0, amountMinor: 0n, takenMinor: 0n };

/** Entries, balances, the trial balance. */
export function booksSuite(name: string, open: OpenStore): void {
  test(`${name}: every posting can be read back, by account, by payee, page by page`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 1_500n, lineMinor: 600n });
    const other = await openAccount(store, { balanceMinor: 50n });
    await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2)]);
    await store.topUp({ account: payer.account, amountMinor: 700n, idempotencyKey: "salary", at: NOW + 1 });
    const all = await store.entries({ limit: 10 });
    assert.deepEqual(
      all.map(({ kind, postings }) => [kind, postings.map((posting) => [posting.ledgerAccount.kind, posting.minor])]),
      [
        [
          "top-up",
          [
            ["cash", 1_500n],
            ["wallet", -1_500n],
          ],
        ],
        [
          "top-up",
          [
            ["cash", 50n],
            ["wallet", -50n],
          ],
        ],
        [
          "settlement",
          [
            ["wallet", 1_000n],
            ["clearing", -1_000n],
          ],
        ],
        [
          "settlement",
          [
            ["wallet", 500n],
            ["credit", 500n],
            ["clearing", -1_000n],
          ],
        ],
        [
          "top-up",
          [
            ["cash", 700n],
            ["credit", -500n],
            ["wallet", -200n],
          ],
        ],
      ],
    );
    const ids = all.map((entry) => entry.entryId);
    const idsOf = async (filter: Omit<Parameters<typeof store.entries>[0], "limit">, limit = 10) =>
      (await store.entries({ ...filter, limit })).map((entry) => ids.indexOf(entry.entryId));
    assert.deepEqual(await idsOf({ account: payer.account }), [0, 2, 3, 4]);
    assert.deepEqual(await idsOf({ account: other }), [1]);
    assert.deepEqual(await idsOf({ payeeId: payeeId(1) }), [2, 3]);
    assert.deepEqual(await idsOf({ payeeId: payeeId(2) }), []);
    assert.deepEqual(await idsOf({}, 2), [0, 1]);
    assert.deepEqual(await idsOf({ after: ids[1] ?? 0 }, 2), [2, 3]);
    assert.deepEqual(await idsOf({ account: payer.account, after: ids[2] ?? 0 }), [3, 4]);
    assert.deepEqual(
      (await store.trialBalance()).map(({ ledgerAccount, currency, minor }) => [ledgerAccount, currency, minor]),
      [
        ["cash", "EUR", 2_250n],
        ["clearing:SHOP-1", "EUR", -2_000n],
        [`credit:${payer.account}`, "EUR", 0n],
        [`wallet:${payer.account}`, "EUR", -200n],
        [`wallet:${other}`, "EUR", -50n],
      ],
    );
    assert.deepEqual(await store.verifyBooks(), { entries: 5, faults: [] });
    await store.close();
  });

  test(`${name}: every payment that came in during a period is in one line of its reconciliation`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 5_000n });
    await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2, { amountMinor: 700n })]);
    await settleItems(store, payer, [payersCopy(aPayment(payer, 3))]);
    await store.receive([aRecord(payer, { paymentId: aPayment(payer, 4).paymentId, receivedAt: NOW + 9 })]);
    await store.receive([aRecord(payer, { paymentId: aPayment(payer, 1).paymentId, receivedAt: NOW + 9 })]);
    const told = async (from: number, to: number) =>
      (await store.reconcile({ from, to })).map(({ state, currency, payments, amountMinor, takenMinor }) => [
        state,
        currency,
        payments,
        amountMinor,
        takenMinor,
      ]);
    const settled = ["settled", "EUR", 2, 1_700n, 1_700n];
    const pending = ["pending", "EUR", 1, 1_000n, 0n];
    const received = ["received", undefined, 1, 0n, 0n];
    assert.deepEqual(await told(NOW, NOW + 10), [pending, received, settled]);
    assert.deepEqual(await told(NOW, NOW + 9), [pending, settled]);
    assert.deepEqual(await told(NOW + 9, NOW + 10), [received]);
    assert.deepEqual(await told(NOW + 10, NOW + 99), []);
    await store.close();
  });

  test(`${name}: a top-up repays what is overdue before anything else`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 0n, lineMinor: 1_000n });
    await settleItems(store, payer, [aPayment(payer)]);
    const credit = { lineMinor: 1_000n, overdueMinor: 400n, scoreBand: "C", informedAt: NOW } as const;
    await store.setCredit(payer.account, credit);
    const topUp = { account: payer.account, at: NOW };
    await store.topUp({ ...topUp, amountMinor: 300n, idempotencyKey: "1" });
    const partly = await store.account(payer.account);
    assert.deepEqual([partly?.credit.usedMinor, partly?.credit.overdueMinor], [700n, 100n]);
    await store.topUp({ ...topUp, amountMinor: 800n, idempotencyKey: "2" });
    const repaid = await store.account(payer.account);
    assert.deepEqual([repaid?.credit.usedMinor, repaid?.credit.overdueMinor, repaid?.balanceMinor], [0n, 0n, 100n]);
    await store.close();
  });

  test(`${name}: statements ask for used credit once a period, and repayments pay the oldest first`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 0n, lineMinor: 5_000n });
    const idle = await openAccount(store);
    const dues = async () => (await store.account(payer.account))?.credit.dues;
    const close = (at: number) =>
      store.closeStatements({ at, everySeconds: 30 * DAY, dueAfterSeconds: 14 * DAY, limit: 10 });
    await settleItems(store, payer, [aPayment(payer, 1)]);
    assert.deepEqual(await close(NOW + 30 * DAY - 1), { closed: 0, asked: 0 });
    assert.deepEqual(await dues(), []);
    assert.deepEqual(await close(NOW + 30 * DAY), { closed: 2, asked: 1 });
    const first = { dueAt: NOW + 44 * DAY, minor: 1_000n };
    assert.deepEqual(await dues(), [first]);
    await settleItems(store, payer, [aPayment(payer, 2)]);
    assert.deepEqual(await close(NOW + 31 * DAY), { closed: 0, asked: 0 }, "its period has begun anew");
    const one = { at: NOW + 60 * DAY, everySeconds: 30 * DAY, dueAfterSeconds: 14 * DAY, limit: 1 };
    const both = [await store.closeStatements(one), await store.closeStatements(one)];
    assert.deepEqual(both.map(({ closed, asked }) => [closed, asked]).toSorted(), [
      [1, 0],
      [1, 1],
    ]);
    assert.deepEqual(await close(NOW + 60 * DAY), { closed: 0, asked: 0 });
    assert.deepEqual(await dues(), [first, { dueAt: NOW + 74 * DAY, minor: 1_000n }]);
    await store.setCredit(payer.account, { lineMinor: 0n, overdueMinor: 0n, scoreBand: "C", informedAt: NOW });
    await store.topUp({ account: payer.account, amountMinor: 1_300n, idempotencyKey: "part", at: NOW });
    assert.deepEqual(await dues(), [{ dueAt: NOW + 74 * DAY, minor: 700n }]);
    await store.move({ partition: payer.partition }, () => ({
      result: undefined,
      repaid: { account: payer.account, minor: 650n },
    }));
    assert.deepEqual(await dues(), [{ dueAt: NOW + 74 * DAY, minor: 50n }]);
    assert.deepEqual((await store.account(idle))?.credit.dues, []);
    await store.close();
  });

  test(`${name}: auditors are given every record and every payment once, page by page`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer, 1), payersCopy(aPayment(payer, 2))]);
    await store.receive(Array.from({ length: 2_100 }, () => aRecord(payer)));
    const records: InboxRecord[] = [];
    for (let after: string | undefined; ; ) {
      const { kept, next } = await store.keptRecords(after);
      records.push(...kept);
      if (next === undefined) break;
      after = next;
    }
    assert.equal(records.length, 2_102);
    assert.equal(new Set(records.map(({ recordHash }) => recordHash)).size, 2_102);
    const { kept, next } = await store.keptPayments();
    assert.equal(next, undefined);
    assert.deepEqual(kept.map(({ sequence, state }) => [sequence, state]).sort(), [
      [1, "settled"],
      [2, "pending"],
    ]);
    assert.ok(kept.every(({ certificateId }) => certificateId === payer.certificate));
    assert.deepEqual(
      kept.map(({ record, paymentId }) => record?.paymentId === paymentId),
      [true, true],
      "each with the record that it was first known from",
    );
    const named = await store.recordsNaming(kept.map(({ paymentId }) => paymentId));
    assert.deepEqual(named.map(({ paymentId }) => paymentId).sort(), kept.map(({ paymentId }) => paymentId).sort());
    const certificates = await store.keptCertificates();
    assert.deepEqual(
      [certificates.kept.map(({ certificateId }) => certificateId), certificates.next],
      [[payer.certificate], undefined],
    );
    await store.close();
  });

  test(`${name}: entries that settle no payment are posted with their seal, and only those`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    store.sealEntriesWith((text) => `sealed ${text}`);
    await store.topUp({ account: payer.account, amountMinor: 7n, idempotencyKey: "sealed", at: NOW });
    await settleItems(store, payer, [aPayment(payer, 1)]);
    const { kept, next } = await store.keptMovements();
    assert.equal(next, undefined);
    const [latest] = kept.toSorted((left, right) => right.entryId - left.entryId);
    assert.equal(latest?.seal, `sealed ${latest?.sealed}`);
    assert.match(latest?.sealed ?? "", /^\[\d+,"top-up","top-up:\d+:sealed","EUR",\d+,\[\["cash","7"\],/);
    assert.ok(kept.length > 1 && kept.every(({ entryId, seal }) => seal === undefined || entryId === latest?.entryId));
    const heads = await store.ledgerHeads();
    assert.deepEqual(await store.missingHeads(heads), []);
    const changed = heads.map((head) => ({ ...head, hash: "ab".repeat(32) }));
    assert.deepEqual(await store.missingHeads(changed), changed);
    await store.close();
  });

  const stepArbitrary = fc.record({
    what: fc.constantFrom("upload" as const, "copy" as const, "top-up" as const, "release" as const),
    payer: fc.nat({ max: 2 }),
    numbers: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    till: fc.nat({ max: 2 }),
    forged: fc.boolean(),
  });

  test(`${name}: whatever comes in whatever order, the books are sound and nothing is paid twice`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 12 }), async (steps) => {
        const store = await open();
        const payers = [
          await openPayer(store, { balanceMinor: 2_500n, lineMinor: 2_000n }),
          await openPayer(store, { balanceMinor: 0n, lineMinor: 5_000n }),
          await openPayer(store, { balanceMinor: 100n }),
        ];
        let key = 0;
        const named = new Set<string>();
        for (const [step, { what, payer: index, numbers, till, forged }] of steps.entries()) {
          const payer = payers[index];
          if (payer === undefined) continue;
          if (what === "release") await store.releaseOverdue({ before: NOW, at: NOW });
          if (what === "top-up")
            await store.topUp({ account: payer.account, amountMinor: 300n, idempotencyKey: `${key++}`, at: NOW });
          if (what !== "upload" && what !== "copy") continue;
          const items = numbers.map((number) => {
            const payeeWord = aWord({ terminalId: terminalId(till), payeeId: payeeId(till) });
            const item = aPayment(payer, number, { payeeWord, receivedAt: NOW + step });
            // The same place in the chain, another payment: a clone's.
            const clones = {
              ...item,
              paymentId: `f${item.paymentId.slice(1)}` as typeof item.paymentId,
              requestHash: undefined,
            };
            return forged ? clones : item;
          });
          for (const { paymentId } of items) named.add(paymentId);
          await settleItems(store, payer, what === "copy" ? items.map(payersCopy) : items);
        }
        await assertReconciles(store, named, steps.length);
        const { faults } = await store.verifyBooks();
        assert.deepEqual(faults, []);
        const trial = await store.trialBalance();
        assert.equal(
          trial.reduce((sum, { minor }) => sum + minor, 0n),
          0n,
        );
        for (const payer of payers) {
          const outcomes = await store.outcomesOfCertificate(payer.certificate);
          const taken = outcomes.reduce((sum, outcome) => sum + outcome.takenMinor, 0n);
          assert.equal((await store.certificate(payer.certificate))?.settledMinor, taken);
          const account = await store.account(payer.account);
          assert.ok(account !== undefined && account.balanceMinor >= 0n && account.credit.usedMinor >= 0n);
          assert.ok(account.credit.usedMinor <= account.credit.lineMinor);
        }
        await store.close();
      }),
      { numRuns: 40 },
    );
  });
}
