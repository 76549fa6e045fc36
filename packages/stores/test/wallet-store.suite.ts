import assert from "node:assert/strict";
import { test } from "node:test";
import { type PaymentSelection, type WalletStore, WalletStoreError, type WalletWrite } from "@cairn/pay";
import {
  added,
  anOpenPayment,
  aPayment,
  bytes,
  CERTIFICATE,
  certificateId,
  closed,
  ENROLLED,
  ID,
  IDENTITY,
  messageId,
  readAll as read,
  signed,
  writeAll as write,
} from "./wallet-records.ts";

const idsOf = (store: WalletStore, load: PaymentSelection) =>
  store.commit(load, ({ payments }) => ({ result: payments.map(({ paymentId }) => paymentId), writes: [] }));

async function refusesWrites(store: WalletStore, ...writes: readonly WalletWrite[]): Promise<void> {
  const before = await read(store);
  await assert.rejects(write(store, ...writes), (error) => {
    assert.ok(error instanceof WalletStoreError, String(error));
    return error.code === "WALLET_WRITE_REFUSED";
  });
  assert.deepEqual(await read(store), before, "nothing was written");
}

/** What every store of wallets must do. `open` gives an empty one. */
export function walletStoreSuite(name: string, open: () => Promise<WalletStore>): void {
  const suite = (title: string, run: (store: WalletStore) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const store = await open();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  const withCertificate = (title: string, run: (store: WalletStore) => Promise<void>) =>
    suite(title, async (store) => {
      await write(store, ENROLLED, CERTIFICATE);
      await run(store);
    });

  suite("begins empty and answers what the decision answers", async (store) => {
    assert.deepEqual(await read(store), { identity: undefined, certificates: [], payments: [] });
    assert.equal(await store.commit({ kind: "none" }, () => ({ result: 7, writes: [] })), 7);
  });

  suite("keeps the identity, newer lists, and the newest time ever seen", async (store) => {
    await refusesWrites(store, { kind: "trust-list", bytes: bytes(8) });
    await write(store, ENROLLED);
    assert.deepEqual((await read(store)).identity, IDENTITY);
    await refusesWrites(store, { kind: "identity", identity: { ...IDENTITY, issuerId: "other" } });
    await write(store, { kind: "trust-list", bytes: bytes(8) }, { kind: "status-list", bytes: bytes(9, 9) });
    await write(store, { kind: "newest-seen", newestSeen: 200 });
    await write(store, { kind: "newest-seen", newestSeen: 150 });
    const expected = { ...IDENTITY, trustList: bytes(8), statusList: bytes(9, 9), newestSeen: 200 };
    assert.deepEqual((await read(store)).identity, expected);
  });

  withCertificate(
    "keeps the first certificate of an id, and reads its counter from its last payment",
    async (store) => {
      await write(store, { ...CERTIFICATE, bytes: bytes(1), limitMinor: 999n });
      const fresh = { sequence: 0, spentMinor: 0n, lastPaymentId: undefined, unsignedPayments: 0 };
      const expected = {
        certificateId: certificateId(1),
        bytes: bytes(9),
        limitMinor: 100n,
        revoked: false,
        counter: fresh,
        closing: undefined,
      };
      assert.deepEqual((await read(store)).certificates, [expected]);
      await write(
        store,
        added(aPayment()),
        added(anOpenPayment({ paymentId: messageId(2), sequence: 2, amountMinor: 40n, spentMinor: 100n })),
      );
      await write(store, signed(), { kind: "revoked", certificateId: certificateId(1) });
      const counter = { sequence: 2, spentMinor: 100n, lastPaymentId: messageId(2), unsignedPayments: 1 };
      assert.deepEqual((await read(store)).certificates, [{ ...expected, revoked: true, counter }]);
    },
  );

  withCertificate("keeps several certificates in the order received, each with its own chain", async (store) => {
    await write(
      store,
      { ...CERTIFICATE, certificateId: certificateId(3) },
      { ...CERTIFICATE, certificateId: certificateId(2) },
    );
    await write(
      store,
      added(aPayment()),
      added(aPayment({ paymentId: messageId(2), requestId: messageId(102), certificateId: certificateId(2) })),
    );
    const { certificates } = await read(store);
    assert.deepEqual(
      certificates.map((each) => [each.certificateId, each.counter.sequence]),
      [
        [certificateId(1), 1],
        [certificateId(3), 0],
        [certificateId(2), 1],
      ],
    );
  });

  withCertificate("keeps a payment whole, and what comes first of signature, receipt and void", async (store) => {
    await write(store, added(aPayment()));
    assert.deepEqual((await read(store)).payments, [aPayment()]);
    await refusesWrites(store, { kind: "shown", paymentId: ID });
    const receipt = { kind: "receipt", paymentId: ID, payeeCertificate: bytes(55) } as const;
    await write(store, signed(), { kind: "shown", paymentId: ID });
    await write(store, { ...receipt, receipt: bytes(10) }, { kind: "void", paymentId: ID, requestVoid: bytes(11) });
    await write(store, { kind: "signature", paymentId: ID, signed: bytes(66) });
    await write(store, { ...receipt, receipt: bytes(12) }, { kind: "void", paymentId: ID, requestVoid: bytes(13) });
    const outcome = { state: "held", code: "X", sentence: "Wait.", takenMinor: 60n, heardAt: 5 } as const;
    await write(store, { kind: "outcome", paymentId: ID, outcome: { ...outcome, state: "pending", code: undefined } });
    await write(store, { kind: "outcome", paymentId: ID, outcome });
    const expected = { signed: bytes(6), shown: true, receipt: bytes(10), requestVoid: bytes(11), outcome };
    assert.deepEqual((await read(store)).payments, [aPayment(expected)]);
  });

  withCertificate("keeps the payee certificate that comes with an open payment's receipt", async (store) => {
    await write(store, added(anOpenPayment()), signed());
    await write(store, { kind: "receipt", paymentId: ID, receipt: bytes(10), payeeCertificate: bytes(55) });
    const expected = { signed: bytes(6), receipt: bytes(10), payeeCertificate: bytes(55) };
    assert.deepEqual((await read(store)).payments, [anOpenPayment(expected)]);
  });

  withCertificate("selects payments", async (store) => {
    const ids = [1, 2, 3, 4, 5, 6].map(messageId);
    const [settled, refused, released, pending, shownOpen, unshownOpen] = ids;
    assert.ok(settled && refused && released && pending && shownOpen && unshownOpen);
    for (const [index, paymentId] of ids.entries()) {
      const chain = { paymentId, sequence: index + 1, amountMinor: 1n, spentMinor: BigInt(index + 1) };
      const requestId = messageId(101 + index);
      await write(store, added(index < 4 ? aPayment({ ...chain, requestId }) : anOpenPayment(chain)));
    }
    const outcome = { code: undefined, sentence: "So it is.", takenMinor: 0n, heardAt: 5 };
    for (const [paymentId, state] of [
      [settled, "settled"],
      [refused, "refused"],
      [released, "released"],
      [pending, "pending"],
      [shownOpen, "held"],
    ] as const)
      await write(store, { kind: "outcome", paymentId, outcome: { ...outcome, state } });
    await write(store, signed(shownOpen), { kind: "shown", paymentId: shownOpen });
    assert.deepEqual(await idsOf(store, { kind: "all" }), ids);
    assert.deepEqual(await idsOf(store, { kind: "none" }), []);
    assert.deepEqual(await idsOf(store, { kind: "unfinished" }), [pending, shownOpen, unshownOpen]);
    assert.deepEqual(await idsOf(store, { kind: "unshown-open" }), [unshownOpen]);
    assert.deepEqual(await idsOf(store, { kind: "of-request", requestId: messageId(102) }), [refused]);
    assert.deepEqual(await idsOf(store, { kind: "of-request", requestId: messageId(999) }), []);
    const paymentIds = [pending, settled, messageId(999), pending];
    assert.deepEqual(await idsOf(store, { kind: "ids", paymentIds }), [pending, settled]);
  });

  withCertificate("refuses every payment that an honest wallet cannot make", async (store) => {
    await write(store, added(aPayment()));
    const next = {
      paymentId: messageId(2),
      requestId: messageId(102),
      sequence: 2,
      amountMinor: 40n,
      spentMinor: 100n,
    };
    for (const changes of [
      { sequence: 1 },
      { sequence: 3 },
      { spentMinor: 99n },
      { spentMinor: 40n },
      { amountMinor: 41n, spentMinor: 101n },
      { amountMinor: 0n, spentMinor: 60n },
      { amountMinor: -1n, spentMinor: 59n },
      { paymentId: ID },
      { requestId: messageId(101) },
      { certificateId: certificateId(2) },
      { signed: bytes(1) },
      { shown: true },
    ]) {
      await refusesWrites(store, added(aPayment({ ...next, ...changes })));
    }
    for (const kind of ["shown", "signature", "receipt", "void", "outcome"] as const) {
      const outcome = { state: "held", code: undefined, sentence: "x", takenMinor: 0n, heardAt: 1 } as const;
      const all = { receipt: bytes(1), payeeCertificate: bytes(1), requestVoid: bytes(1), signed: bytes(1), outcome };
      await refusesWrites(store, { kind, paymentId: messageId(9), ...all });
    }
    await write(store, added(aPayment(next)));
  });

  withCertificate("writes all of a decision or nothing", async (store) => {
    const second = aPayment({
      paymentId: messageId(2),
      requestId: messageId(102),
      sequence: 2,
      amountMinor: 41n,
      spentMinor: 101n,
    });
    await refusesWrites(
      store,
      { kind: "newest-seen", newestSeen: 900 },
      { ...CERTIFICATE, certificateId: certificateId(5) },
      { kind: "revoked", certificateId: certificateId(1) },
      added(aPayment()),
      signed(),
      { kind: "shown", paymentId: ID },
      added(second),
    );
    const before = await read(store);
    const failing = store.commit({ kind: "none" }, () => {
      throw new RangeError("a decision that fails");
    });
    await assert.rejects(failing, RangeError);
    assert.deepEqual(await read(store), before);
  });

  withCertificate("a closing is the last word: once, after every signature, and nothing beyond it", async (store) => {
    await write(store, added(aPayment()));
    await refusesWrites(store, { kind: "closing-signature", certificateId: certificateId(1), signed: bytes(1) });
    await refusesWrites(store, closed());
    await write(store, signed());
    await refusesWrites(store, { kind: "closing", certificateId: certificateId(4), draft: bytes(7) });
    await refusesWrites(store, { kind: "closing-delivered", certificateId: certificateId(4) });
    await write(store, closed());
    await refusesWrites(store, closed(bytes(70)));
    const next = { paymentId: messageId(2), requestId: messageId(102), sequence: 2, amountMinor: 1n, spentMinor: 61n };
    await refusesWrites(store, added(aPayment(next)));
    await write(store, CERTIFICATE);
    await refusesWrites(store, added(aPayment(next)));
    for (const value of [20, 21])
      await write(store, { kind: "closing-signature", certificateId: certificateId(1), signed: bytes(value) });
    await write(store, { kind: "closing-delivered", certificateId: certificateId(1) });
    const [certificate] = (await read(store)).certificates;
    assert.deepEqual(certificate?.closing, { draft: bytes(7), signed: bytes(20), delivered: true });
  });

  withCertificate("decisions run one at a time", async (store) => {
    const decide = (requestNumber: number) =>
      store.commit({ kind: "none" }, ({ certificates }) => {
        const counter = certificates[0]?.counter ?? { sequence: 0, spentMinor: 0n };
        const sequence = counter.sequence + 1;
        const chain = { sequence, amountMinor: 1n, spentMinor: counter.spentMinor + 1n };
        const ids = { paymentId: messageId(sequence), requestId: messageId(200 + requestNumber) };
        return { result: undefined, writes: [added(aPayment({ ...ids, ...chain }))] };
      });
    await Promise.all(Array.from({ length: 20 }, (_, index) => decide(index)));
    const { payments } = await read(store);
    assert.deepEqual(
      payments.map(({ sequence }) => sequence),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });
}
