import assert from "node:assert/strict";
import { test } from "node:test";
import { partitionOf } from "@cairn/issue";
import { decideReview, type LedgerEntry, reviewedItem, sweepArrival, sweepEntry } from "@cairn/settle";
import { aPayment, DAY, EUR, issue, NOW, openAccount, openPayer, POLICY, settleItems } from "./issuer-fixture.ts";
import type { OpenStore } from "./issuer-store.suite.ts";

/** Entries by decision, with the records beside them. */
export function movementsSuite(name: string, open: OpenStore): void {
  test(`${name}: a decision sees what it asked for, and all that it says is written or nothing`, async () => {
    const store = await open();
    const account = await openAccount(store, { balanceMinor: 500n });
    const certificate = await issue(store, account);
    const partition = partitionOf(account);
    const wallet = { kind: "wallet", account } as const;
    const entry = (reference: string, minor: bigint): LedgerEntry => ({
      kind: "withdrawal",
      reference,
      currency: EUR,
      postedAt: NOW,
      postings: [
        { ledgerAccount: wallet, minor },
        { ledgerAccount: { kind: "transit", from: partition, to: 7 }, minor: -minor },
      ],
    });
    const record = { kind: "review", id: "a" } as const;
    const asked = { partition, accounts: [account], balances: [wallet], references: ["one", "two"], records: [record] };
    const first = await store.move(asked, (view) => ({
      result: [
        view.account(account).record.balanceMinor,
        view.account(account).certificates.map(({ certificateId }) => certificateId),
        view.balance(wallet, EUR),
        view.entry("one"),
        view.record(record),
      ],
      entries: [entry("one", 100n)],
      records: [{ ...record, body: '{"because":"quoted, \\"twice\\""}' }],
    }));
    assert.deepEqual(first, [500n, [certificate], -500n, undefined, undefined]);
    const look = () =>
      store.move(asked, (view) => ({
        result: {
          balanceMinor: view.balance(wallet, EUR),
          posted: view.entry("one")?.postings.map(({ minor }) => minor),
          two: view.entry("two"),
          body: view.record(record),
        },
      }));
    const seen = await look();
    assert.deepEqual([seen.balanceMinor, seen.posted, seen.two], [-400n, [100n, -100n], undefined]);
    assert.deepEqual(JSON.parse(seen.body ?? ""), { because: 'quoted, "twice"' });
    // A reference again, or a wallet below zero: nothing of it is written.
    for (const wrong of [entry("one", 1n), entry("two", 401n)])
      await assert.rejects(
        store.move(asked, () => ({ result: 0, entries: [wrong], records: [{ ...record, body: undefined }] })),
      );
    assert.deepEqual(await look(), seen);
    assert.deepEqual(await store.operationRecords("review"), [{ id: "a", body: seen.body }]);
    assert.deepEqual(await store.operationRecords("refunds"), []);
    const [transit] = await store.ledgerBalances("transit");
    assert.deepEqual(
      [transit?.partition, transit?.ledgerAccount, transit?.minor],
      [partition, { kind: "transit", from: partition, to: 7 }, -100n],
    );
    await store.move(asked, () => ({ result: 0, records: [{ ...record, body: undefined }] }));
    assert.equal((await look()).body, undefined);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await assert.rejects(
      store.move({ partition: (partition + 1) % 256, accounts: [account] }, () => ({ result: 0 })),
      { code: "STORE_INPUT_INVALID" },
    );
    await store.close();
  });

  test(`${name}: of sweeps those are told that have not all come home, and sums are by currency`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer)]);
    const [cleared] = await store.ledgerBalances("clearing");
    assert.ok(cleared?.ledgerAccount.kind === "clearing");
    const { payeeId } = cleared.ledgerAccount;
    const home = (payer.partition + 1) % 256;
    const about = { payeeId, currency: EUR, from: payer.partition, at: NOW };
    const sum = async (kind: "clearing" | "sweeping" | "payee") =>
      (await store.ledgerSums(kind)).map((each) => each.minor);
    const half = -cleared.minor / 2n;
    assert.deepEqual(await store.sweepsUnderway(), []);
    await store.move({ partition: payer.partition }, () => ({
      result: 0,
      entries: [sweepEntry({ ...about, home, number: 1, amountMinor: -cleared.minor })],
    }));
    const sent = { ledgerAccount: { kind: "sweeping", payeeId, from: payer.partition }, currency: EUR } as const;
    const underway = [{ ...sent, minor: cleared.minor }];
    assert.deepEqual(await store.sweepsUnderway(), underway);
    for (const [arrivedMinor, amountMinor, told] of [
      [0n, half, underway],
      [half, -cleared.minor - half, []],
    ] as const) {
      const arrival = sweepArrival({ ...about, arrivedMinor, amountMinor });
      await store.move({ partition: home }, () => ({ result: 0, entries: [arrival] }));
      assert.deepEqual(await store.sweepsUnderway(), told, "all that was ever sent, until it is home");
    }
    assert.deepEqual([await sum("clearing"), await sum("sweeping"), await sum("payee")], [[], [], [cleared.minor]]);
    assert.deepEqual((await store.ledgerSums("payee"))[0]?.currency, EUR);
    await store.close();
  });

  test(`${name}: credit that a movement repays is no longer overdue`, async () => {
    const store = await open();
    const account = await openAccount(store, { balanceMinor: 0n });
    await store.setCredit(account, { lineMinor: 100n, overdueMinor: 50n, scoreBand: "B", informedAt: NOW });
    const input = { partition: partitionOf(account), accounts: [account] };
    await store.move(input, () => ({ result: 0, repaid: { account, minor: 20n } }));
    assert.equal((await store.account(account))?.credit.overdueMinor, 30n);
    await store.move(input, () => ({ result: 0, repaid: { account, minor: 31n } }));
    assert.equal((await store.account(account))?.credit.overdueMinor, 0n);
    await store.close();
  });

  test(`${name}: a person releases a held payment although no batch of its partition is taken`, async () => {
    const store = await open();
    const payer = await openPayer(store, { balanceMinor: 600n, lineMinor: 1_000n });
    const late = aPayment(payer, 1, { receivedAt: NOW + 90 * DAY });
    assert.deepEqual(
      (await settleItems(store, payer, [late])).map(({ state }) => state),
      ["held"],
    );
    const { certificate: certificateId, partition } = payer;
    const review = { certificateId, paymentId: late.paymentId, decision: "release" } as const;
    const release = () =>
      store.settle({
        partition,
        records: [],
        items: [reviewedItem(review, NOW)],
        decide: (state) => decideReview(state, review, { now: NOW, policy: POLICY }),
        rejected: [],
        at: NOW,
        withoutLease: true,
      });
    for (const repeated of [false, true]) {
      const [outcome] = await release();
      assert.deepEqual([outcome?.state, outcome?.takenMinor, outcome?.repeated], ["settled", 1_000n, repeated]);
    }
    const account = await store.account(payer.account);
    assert.deepEqual([account?.balanceMinor, account?.credit.usedMinor], [0n, 400n]);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });
}
