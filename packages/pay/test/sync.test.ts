import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  amount,
  closing,
  decodeMessage,
  type MessageId,
  payment,
  readSyncRecord,
  restoreVerified,
  type SyncRecord,
  splitRecords,
  trustList,
  verifyMessage,
} from "@cairn/messages";
import {
  acceptReceipt,
  acceptVoid,
  applyOutcomes,
  applySyncAnswer,
  buildSync,
  history,
  type OfferedOutcome,
  payOpen,
  type SyncAnswer,
  type SyncBatch,
  walletStatus,
} from "../src/index.ts";
import { expectKind, expectRefusal, mustPay, mustReview, payCode, paymentIn } from "./steps.ts";
import { snapshot, watch } from "./watched.ts";
import {
  aStatusList,
  aSyncAnswer,
  aTill,
  aTrustList,
  aUserCertificate,
  certificateId,
  crypto,
  DAY,
  EUR,
  hold,
  holding,
  NOW,
  USD,
  type World,
} from "./world.ts";

const till = await aTill();

const recordsIn = ({ content }: SyncBatch): SyncRecord[] => splitRecords(content).map((bytes) => readSyncRecord(bytes));

const received = ({ entries }: SyncBatch): SyncAnswer["records"] =>
  entries.map((_, index) => ({ index, state: "received", code: null, sentence: null }));

function said(paymentId: MessageId, state: OfferedOutcome["state"], takenMinor = 0n): OfferedOutcome {
  return { paymentId, state, code: null, sentence: "So it is.", takenMinor };
}

async function apply({ ports }: World, batch: SyncBatch, changes: Partial<SyncAnswer> = {}) {
  const answer = await aSyncAnswer({ records: received(batch), ...changes });
  return applySyncAnswer(ports, { answer, entries: batch.entries });
}

test("a sync brings the chain with requests, receipts and voids until the server's last word", async () => {
  const world = await holding();
  const { ports } = world;
  const first = await mustPay(ports, await till.charge());
  await acceptReceipt(ports, await till.receiptFor(first.paymentId, 1_250n));
  const code = await till.charge();
  const { requestId } = await mustReview(ports, code);
  const second = await mustPay(ports, code);
  await acceptVoid(ports, await till.voidOf(requestId));
  const open = expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown");

  const batch = await buildSync(ports);
  const records = recordsIn(batch);
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ["payment", "payment", "open-payment"],
  );
  const [one, two, three] = records;
  assert.ok(one?.kind === "payment" && one.receipt !== undefined && one.requestVoid === undefined);
  assert.ok(two?.kind === "payment" && two.receipt === undefined && two.requestVoid !== undefined);
  assert.ok(three?.kind === "open-payment" && three.receipt === undefined && three.payeeCertificate === undefined);
  assert.deepEqual(batch.closed, []);
  assert.deepEqual(batch.holds, [certificateId(1)]);
  assert.equal(batch.more, false);

  const payments = [
    said(first.paymentId, "settled", 1_250n),
    said(second.paymentId, "released"),
    said(open.paymentId, "received"),
  ];
  await apply(world, batch, { payments });
  assert.deepEqual(
    (await history(ports)).map(({ state }) => state),
    ["pending", "released", "settled"],
  );
  const next = await buildSync(ports);
  assert.deepEqual(next.entries, [{ kind: "payment", paymentId: open.paymentId }]);
});

test("what the server never heard of goes first, then what it answered longest ago", async () => {
  const world = await holding();
  const { ports, clock } = world;
  const ids: MessageId[] = [];
  for (const at of [3, 1, 2]) {
    const { paymentId } = await mustPay(ports, await till.charge({ amountMinor: 10n }));
    ids.push(paymentId);
    clock.seconds = NOW + at;
    await applyOutcomes(ports, [said(paymentId, "pending")]);
    clock.seconds = NOW;
  }
  const fresh = await mustPay(ports, await till.charge({ amountMinor: 10n }));
  const { entries } = await buildSync(ports);
  assert.deepEqual(
    entries.map((entry) => entry.kind === "payment" && entry.paymentId),
    [fresh.paymentId, ids[1], ids[2], ids[0]],
  );
});

test("a certificate asked back is closed at its last payment, for good, however often the answer is lost", async () => {
  const world = await holding();
  const { ports, clock } = world;
  const paid = await mustPay(ports, await till.charge());
  const batch = await buildSync(ports, { closeAll: true });
  assert.deepEqual(batch.closed, [{ certificateId: certificateId(1), because: "asked" }]);
  const [record] = recordsIn(batch);
  assert.ok(record?.kind === "closing");
  const decoded = decodeMessage(closing, record.closing, crypto);
  const { content } = await verifyMessage(decoded, { key: ports.signer.publicKey, crypto });
  const { sequence, spentMinor, issuedAt } = content;
  assert.deepEqual([sequence, spentMinor, issuedAt], [1, 1_250n, NOW]);
  assert.ok(paid.paymentId.startsWith(content.previous));

  // The answer is lost: the same closing is brought again, and nothing can be paid with the certificate.
  clock.seconds = NOW + 60;
  const again = await buildSync(ports, { closeAll: true });
  assert.deepEqual(again.closed, []);
  assert.deepEqual(recordsIn(again), recordsIn(batch));
  expectRefusal(await payCode(ports, await till.charge()), "NO_CERTIFICATE");
  expectRefusal(await payOpen(ports, { maximum: amount(1n, EUR) }), "NO_CERTIFICATE");

  // The old certificate delivered again stays closed; a new one pays.
  const same = await aUserCertificate(ports.signer.publicKey);
  assert.deepEqual(await apply(world, again, { certificate: same.bytes }), { certificate: undefined, refusals: [] });
  expectRefusal(await payCode(ports, await till.charge()), "NO_CERTIFICATE");
  const fresh = await hold(world, { certificateId: certificateId(2) });
  const next = await mustPay(ports, await till.charge());
  assert.equal(paymentIn(next.codeText).unverified.certificateId, fresh.content.certificateId);
  assert.ok((await buildSync(ports)).entries.every(({ kind }) => kind === "payment"));
});

test("a refused closing record is brought again", async () => {
  const world = await holding();
  const batch = await buildSync(world.ports, { closeAll: true });
  await apply(world, batch, { records: [{ index: 0, state: "refused", code: "X", sentence: "No." }] });
  assert.deepEqual((await buildSync(world.ports)).entries, batch.entries);
});

test("a certificate of a withdrawn issuer key is given back at the sync after the list that says so", async () => {
  const { ports } = await holding();
  assert.deepEqual((await buildSync(ports)).closed, []);
  const other = generateNodeSigner();
  const [entry] = restoreVerified(trustList, await aTrustList(), ports.crypto).content.keys;
  assert.ok(entry);
  const trustListBytes = await aTrustList({ version: 9, keys: [{ ...entry, key: other.publicKey }] });
  await applySyncAnswer(ports, { answer: await aSyncAnswer({ trustList: trustListBytes }), entries: [] });
  assert.deepEqual((await buildSync(ports)).closed, [{ certificateId: certificateId(1), because: "untrusted" }]);
});

test("expired and used up certificates are closed by themselves, others stay beside a new one", async () => {
  const world = await holding([
    { certificateId: certificateId(1), expiresAt: NOW + 100 },
    {
      certificateId: certificateId(2),
      terms: { limitMinor: 1_250n, perPaymentCapMinor: 1_250n },
      expiresAt: NOW + 200,
    },
    { certificateId: certificateId(3) },
  ]);
  const { ports, clock } = world;
  clock.seconds = NOW + 101;
  await mustPay(ports, await till.charge());
  const { closed } = await buildSync(ports);
  assert.deepEqual(closed, [
    { certificateId: certificateId(1), because: "expired" },
    { certificateId: certificateId(2), because: "used-up" },
  ]);
  assert.deepEqual(
    (await walletStatus(ports)).holdings.map(({ state }) => state),
    ["closed", "closed", "usable"],
  );
});

test("a certificate is taken only for this device, in this currency, valid, and under an issuer's key", async () => {
  const world = await holding([]);
  const { ports } = world;
  const other = generateNodeSigner();
  const cases = [
    [(await aUserCertificate(other.publicKey)).bytes, "CERTIFICATE_OF_ANOTHER_DEVICE"],
    [(await aUserCertificate(ports.signer.publicKey, { terms: { currency: USD } })).bytes, "CURRENCY_MISMATCH"],
    [(await aUserCertificate(ports.signer.publicKey, { expiresAt: NOW - 1 })).bytes, "CERTIFICATE_EXPIRED"],
    [(await aUserCertificate(ports.signer.publicKey, { signer: other })).bytes, "ISSUER_UNKNOWN"],
    [new Uint8Array([1, 2, 3]), "CBOR_TRAILING_BYTES"],
  ] as const;
  for (const [certificate, code] of cases) {
    const { refusals } = await apply(world, await buildSync(ports), { certificate });
    const [{ part, refusal } = { part: undefined, refusal: undefined }] = refusals;
    assert.deepEqual([refusals.length, part], [1, "certificate"]);
    assert.equal(refusal?.code, code);
  }
  assert.deepEqual((await walletStatus(ports)).holdings, []);
  const { content } = await hold(world);
  const twin = await aUserCertificate(ports.signer.publicKey, { terms: { limitMinor: 90_000n } });
  const { refusals } = await apply(world, await buildSync(ports), { certificate: twin.bytes });
  assert.equal(refusals[0]?.refusal.code, "CERTIFICATE_MISMATCH");
  assert.deepEqual(
    (await walletStatus(ports)).holdings.map(({ certificate }) => certificate),
    [content],
  );
});

test("lists never go back, and one part that is turned away does not stop the others", async () => {
  const world = await holding([]);
  const { ports } = world;
  const batch = await buildSync(ports);
  const newer = { trustList: await aTrustList({ version: 3 }), statusList: await aStatusList({ issuedAt: NOW }) };
  assert.deepEqual((await apply(world, batch, newer)).refusals, []);
  const certificate = (await aUserCertificate(ports.signer.publicKey)).bytes;
  const statusList = await aStatusList({ revoked: [7] });
  const older = { trustList: await aTrustList({ version: 2 }), statusList, certificate };
  const result = await apply(world, batch, older);
  assert.deepEqual(
    result.refusals.map(({ part, refusal }) => [part, refusal.code]),
    [
      ["trust-list", "TRUST_LIST_ROLLBACK"],
      ["status-list", "STATUS_LIST_ROLLBACK"],
    ],
  );
  assert.equal(result.certificate?.certificateId, certificateId(1));
  const identity = await ports.store.commit({ kind: "none" }, (stored) => ({ result: stored.identity, writes: [] }));
  assert.deepEqual(identity?.trustList, newer.trustList);
  assert.deepEqual(identity?.statusList, newer.statusList);
  assert.equal(identity?.newestSeen, NOW);
});

test("the trust list that is held, once it has ended, is turned away like any other", async () => {
  const world = await holding([]);
  world.clock.seconds = NOW + 61 * DAY;
  const statusList = await aStatusList({ issuedAt: NOW + 60 * DAY, expiresAt: NOW + 90 * DAY });
  const { trustList } = (await snapshot(world.ports.store)).identity ?? {};
  const { refusals } = await apply(world, await buildSync(world.ports), {
    trustList: trustList ?? new Uint8Array(),
    statusList,
  });
  assert.deepEqual(
    refusals.map(({ part, refusal: { code } }) => [part, code]),
    [["trust-list", "TRUST_LIST_EXPIRED"]],
  );
});

test("lists that are no messages are turned away by themselves", async () => {
  const world = await holding([]);
  const garbage = { trustList: new Uint8Array(3), statusList: new Uint8Array(3), certificate: new Uint8Array(3) };
  const { refusals } = await apply(world, await buildSync(world.ports), garbage);
  assert.deepEqual(
    refusals.map(({ part, refusal: { code } }) => [part, code]),
    [
      ["trust-list", "CBOR_TRAILING_BYTES"],
      ["certificate", "CBOR_TRAILING_BYTES"],
      ["status-list", "COSE_MALFORMED"],
    ],
  );
});

test("an answer that was overtaken by a newer one in another process does not turn the lists back", async () => {
  const world = await holding([]);
  const { ports } = world;
  const batch = await buildSync(ports);
  const newer = { trustList: await aTrustList({ version: 3 }), statusList: await aStatusList({ issuedAt: NOW }) };
  const statusList = await aStatusList({ revoked: [7] });
  const older = await aSyncAnswer({ trustList: await aTrustList({ version: 2 }), statusList });
  let calls = 0;
  const overtaken = watch(ports, {
    // The older answer was judged in the first call; before it is written, the newer one is taken home.
    turn: async () => {
      calls++;
      if (calls === 2) assert.deepEqual((await apply(world, batch, newer)).refusals, []);
    },
  });
  const { refusals } = await applySyncAnswer(overtaken.ports, { answer: older, entries: [] });
  assert.deepEqual(
    refusals.map(({ part, refusal }) => [part, refusal.code]),
    [
      ["trust-list", "TRUST_LIST_ROLLBACK"],
      ["status-list", "STATUS_LIST_ROLLBACK"],
    ],
  );
  const { identity } = await snapshot(ports.store);
  assert.deepEqual([identity?.trustList, identity?.statusList], [newer.trustList, newer.statusList]);
});

test("an older status list that says the same is no news and no fault", async () => {
  const world = await holding([]);
  const batch = await buildSync(world.ports);
  const statusList = await aStatusList({ issuedAt: NOW });
  await apply(world, batch, { statusList });
  assert.deepEqual((await apply(world, batch, { statusList: await aStatusList() })).refusals, []);
  assert.deepEqual((await snapshot(world.ports.store)).identity?.statusList, statusList);
});

test("what a wallet has taken home already is not written again", async () => {
  const world = await holding();
  const { store } = world.ports;
  const answer = await aSyncAnswer({ statusList: await aStatusList({ issuedAt: NOW, revoked: [1] }) });
  await applySyncAnswer(world.ports, { answer, entries: [] });
  const written: number[] = [];
  const counted: typeof store = {
    commit: (load, decide) =>
      store.commit(load, (wallet) => {
        const decision = decide(wallet);
        written.push(decision.writes.length);
        return decision;
      }),
    close: () => store.close(),
  };
  await applySyncAnswer({ ...world.ports, store: counted }, { answer, entries: [] });
  assert.deepEqual(written, [0, 0]);
});

test("a withdrawn certificate no longer pays", async () => {
  const world = await holding();
  const statusList = await aStatusList({ issuedAt: NOW, revoked: [1] });
  await apply(world, await buildSync(world.ports), { statusList });
  expectRefusal(await payCode(world.ports, await till.charge()), "CERTIFICATE_REVOKED");
  assert.equal((await walletStatus(world.ports)).holdings[0]?.state, "revoked");
  await buildSync(world.ports, { closeAll: true });
  assert.equal((await walletStatus(world.ports)).holdings[0]?.state, "closed", "which it stays, withdrawn or not");
});

test("a certificate that is withdrawn when it arrives never pays", async () => {
  const world = await holding([]);
  const statusList = await aStatusList({ issuedAt: NOW, revoked: [1] });
  const { bytes: certificate, content } = await aUserCertificate(world.ports.signer.publicKey);
  const taken = await apply(world, await buildSync(world.ports), { statusList, certificate });
  assert.deepEqual(taken, { certificate: content, refusals: [] });
  expectRefusal(await payCode(world.ports, await till.charge()), "CERTIFICATE_REVOKED");
});

test("what an issuer signs moves a slow clock forward for good", async () => {
  const world = await holding([{ expiresAt: NOW + 1_000 }]);
  const trustList = await aTrustList({ version: 2, issuedAt: NOW + DAY });
  await apply(world, await buildSync(world.ports), { trustList });
  world.clock.seconds = NOW - 30 * DAY;
  assert.equal((await walletStatus(world.ports)).now, NOW + DAY);
  assert.equal((await walletStatus(world.ports)).holdings[0]?.state, "expired");
});

test("a slow clock does not let in what ended before the answer's own lists were issued", async () => {
  const world = await holding();
  const { ports } = world;
  const turnedAway = async (changes: Partial<SyncAnswer>) => {
    const answer = await aSyncAnswer(changes);
    const { refusals, certificate } = await applySyncAnswer(ports, { answer, entries: [] });
    assert.equal(certificate, undefined);
    return refusals.map(({ part, refusal: { code } }) => [part, code]);
  };
  const later = await aTrustList({ version: 2, issuedAt: NOW + 20 * DAY });
  const stale = await aStatusList({ issuedAt: NOW + 1, expiresAt: NOW + 10 * DAY });
  assert.deepEqual(await turnedAway({ trustList: later, statusList: stale }), [["status-list", "STATUS_LIST_STALE"]]);
  const other = await holding();
  const { signer } = other.ports;
  const certificate = (await aUserCertificate(signer.publicKey, { certificateId: certificateId(9) })).bytes;
  const answer = await aSyncAnswer({ statusList: await aStatusList({ issuedAt: NOW + 8 * DAY }), certificate });
  const { refusals } = await applySyncAnswer(other.ports, { answer, entries: [] });
  assert.deepEqual(
    refusals.map(({ part, refusal: { code } }) => [part, code]),
    [["certificate", "CERTIFICATE_EXPIRED"]],
  );
});

test("a certificate moves a slow clock forward by itself", async () => {
  const world = await holding([]);
  await hold(world, { issuedAt: NOW + 3 * DAY });
  const { identity } = await snapshot(world.ports.store);
  assert.equal(identity?.newestSeen, NOW + 3 * DAY);
});

test("applying an answer twice is applying it once; entries that were never sent are passed over", async () => {
  const world = await holding();
  const { paymentId } = await mustPay(world.ports, await till.charge());
  const batch = await buildSync(world.ports, { closeAll: true });
  const certificate = (await aUserCertificate(world.ports.signer.publicKey, { certificateId: certificateId(2) })).bytes;
  const records = [...received(batch), { index: 99, state: "received", code: null, sentence: null } as const];
  const answer = { certificate, records, payments: [said(paymentId, "settled", 1_250n)] };
  const snapshot = () => world.ports.store.commit({ kind: "all" }, (stored) => ({ result: stored, writes: [] }));
  await apply(world, batch, answer);
  const once = await snapshot();
  await apply(world, batch, answer);
  assert.deepEqual({ ...(await snapshot()), identity: undefined }, { ...once, identity: undefined });
});

test("a payment that was durable and never signed is signed before the sync, so that the chain has no hole", async () => {
  const world = await holding();
  const { ports } = world;
  const broken = { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) };
  await assert.rejects(payCode({ ...ports, signer: broken }, await till.charge()), /the key is away/);
  const { paymentId } = await mustPay(ports, await till.charge());
  const [unsigned] = (await snapshot(ports.store)).payments;
  assert.equal(unsigned?.signed, undefined);
  const batch = await buildSync(ports);
  const [first, second] = recordsIn(batch);
  assert.ok(first?.kind === "payment" && second?.kind === "payment");
  const links = [first, second].map(({ payment: bytes }) => decodeMessage(payment, bytes, crypto));
  for (const link of links) await verifyMessage(link, { key: ports.signer.publicKey, crypto });
  assert.deepEqual(
    links.map(({ messageId, unverified }) => [messageId, unverified.sequence]),
    [
      [unsigned?.paymentId, 1],
      [paymentId, 2],
    ],
  );
  const [signed] = (await snapshot(ports.store)).payments;
  assert.deepEqual(signed?.signed, first.payment);
});

test("a sync says which certificates are held, the newest first and no more than the server takes", async () => {
  const world = await holding(Array.from({ length: 18 }, (_, index) => ({ certificateId: certificateId(index + 1) })));
  const { holds } = await buildSync(world.ports);
  assert.deepEqual(
    holds,
    Array.from({ length: 16 }, (_, index) => certificateId(18 - index)),
  );
});

test("a sync says of which date the status list is that came with the last answer", async () => {
  const world = await holding();
  const before = await buildSync(world.ports);
  const issuedAt = before.since + 900;
  world.clock.seconds = issuedAt;
  await apply(world, before, { statusList: await aStatusList({ issuedAt }) });
  assert.equal((await buildSync(world.ports)).since, issuedAt);
});

test("more than one call holds is brought in several", async () => {
  const world = await holding([{ terms: { limitMinor: 1_000_000n, perPaymentCapMinor: 6_000n } }]);
  for (let count = 0; count < 1_001; count++) {
    expectKind(await payOpen(world.ports, { maximum: amount(1n, EUR) }), "shown");
  }
  const batch = await buildSync(world.ports);
  assert.equal(batch.entries.length, 1_000);
  assert.equal(batch.more, true);
  const payments = batch.entries.flatMap((entry) =>
    entry.kind === "payment" ? [said(entry.paymentId, "pending")] : [],
  );
  await apply(world, batch, { payments });
  const [next] = (await buildSync(world.ports)).entries;
  const { payments: all } = await world.ports.store.commit({ kind: "all" }, (stored) => ({
    result: stored,
    writes: [],
  }));
  assert.equal(next?.kind === "payment" && next.paymentId, all[1_000]?.paymentId);
});

test("a closing that was durable and never signed is signed by the next sync, as it was decided", async () => {
  const { ports, clock } = await holding();
  const broken = { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) };
  await assert.rejects(buildSync({ ...ports, signer: broken }, { closeAll: true }), /the key is away/);
  clock.seconds = NOW + 60;
  const batch = await buildSync(ports);
  assert.deepEqual(batch.closed, []);
  const [record] = recordsIn(batch);
  assert.ok(record?.kind === "closing");
  const { content } = await verifyMessage(decodeMessage(closing, record.closing, crypto), {
    key: ports.signer.publicKey,
    crypto,
  });
  assert.deepEqual([content.certificateId, content.issuedAt], [certificateId(1), NOW]);
});

test("certificates closed before and after a missing signature are all named", async () => {
  const { ports } = await holding([{}, { certificateId: certificateId(2) }]);
  const broken = { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) };
  await assert.rejects(payCode({ ...ports, signer: broken }, await till.charge()), /the key is away/);
  const { closed } = await buildSync(ports, { closeAll: true });
  assert.deepEqual(
    closed.map(({ certificateId: id }) => id),
    [certificateId(2), certificateId(1)],
  );
});

test("a payment that another process has not signed yet waits for the next sync", async () => {
  const { ports } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const away = { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) };
  const unsigned = async () => assert.rejects(payCode({ ...ports, signer: away }, await till.charge()), /away/);
  await unsigned();
  let calls = 0;
  const watched = watch(ports, {
    // The first look, the signature and its write are done: just before the second look, another payment is made.
    turn: async () => {
      calls++;
      if (calls === 4) await unsigned();
    },
  });
  const { entries, more } = await buildSync(watched.ports);
  assert.equal(entries.length, 2);
  assert.deepEqual(entries[0], { kind: "payment", paymentId });
  assert.equal(more, false);
  assert.equal((await buildSync(ports)).entries.length, 3);
});
