import assert from "node:assert/strict";
import { test } from "node:test";
import { isRevoked, type MessageId, restoreVerified, statusList } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import type { TestTerminal } from "./support/terminal.ts";
import { crypto, EUR, payeeId } from "./support/values.ts";
import { addTerminal, KIOSK, makeWorld, type World } from "./support/world.ts";

/** Waits until the payment is judged, as the terminal sees it. */
function judged(terminal: TestTerminal, paymentId: MessageId) {
  return eventually(async () => {
    const [outcome] = (await terminal.client.outcomes([paymentId])).payments;
    return outcome !== undefined && outcome.state !== "received" && outcome.state !== "unknown" && outcome;
  });
}

async function assertSound({ operator }: Pick<World, "operator">): Promise<void> {
  const books = await operator.verifyBooks();
  assert.deepEqual(books.faults, []);
  const sum = (await operator.trialBalance()).reduce((total, { minor }) => total + minor, 0n);
  assert.equal(sum, 0n);
}

test("an uploaded payment settles, balance before credit, and the ledger balances", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  await wallet.sync();
  const paid: MessageId[] = [];
  const records: Uint8Array[] = [];
  for (const amountMinor of [2_000n, 1_500n]) {
    const request = await terminal.request(amountMinor);
    const payment = await wallet.pay(request);
    paid.push(payment.messageId);
    records.push(terminal.record(request, wallet.held(), payment));
  }
  const answer = await terminal.client.upload(records);
  assert.deepEqual(
    answer.records.map(({ index, paymentId, state }) => [index, paymentId, state]),
    paid.map((paymentId, index) => [index, paymentId, "received"]),
  );
  for (const paymentId of paid) assert.equal((await judged(terminal, paymentId)).state, "settled");
  const after = await operator.account(account);
  assert.deepEqual([after.balanceMinor, after.creditUsedMinor], [0n, 500n]);
  const clearing = (await operator.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === "clearing:KIOSK");
  assert.equal(clearing?.minor, -3_500n);
  const entries = await operator.entries({ account });
  assert.ok(entries.length >= 3);
  for (const { postings } of entries)
    assert.equal(
      postings.reduce((sum, { minor }) => sum + minor, 0n),
      0n,
    );
  await assertSound(world);
  const seen = await wallet.client.sync({ records: [] });
  assert.deepEqual(
    seen.payments.map(({ paymentId, state, takenMinor }) => [paymentId, state, takenMinor]).toSorted(),
    [
      [paid[0], "settled", 2_000n],
      [paid[1], "settled", 1_500n],
    ].toSorted(),
  );
});

test("uploading again, in any order, by a replaced till of the same payee too, changes nothing", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const record = terminal.record(request, wallet.held(), payment);
  await terminal.client.upload([record, record]);
  await judged(terminal, payment.messageId);
  const replaced = await addTerminal(world);
  for (const client of [terminal.client, replaced.client]) await client.upload([record]);
  assert.equal((await judged(replaced, payment.messageId)).takenMinor, 1_000n);
  // The second look at the same payment is over when a later record of the same sender is settled.
  const next = await replaced.request(500n);
  const later = await wallet.pay(next);
  await replaced.client.upload([replaced.record(next, wallet.held(), later)]);
  await judged(replaced, later.messageId);
  assert.equal((await operator.account(account)).balanceMinor, 1_500n);
  await assertSound(world);
});

test("one bad record never stops the others, and each is kept with its code", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator } = world;
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const good = terminal.record(request, wallet.held(), payment);
  const forged = { ...payment, bytes: payment.bytes.with(payment.bytes.length - 1, (payment.bytes.at(-1) ?? 0) ^ 1) };
  const badlySigned = terminal.record(await terminal.request(7n), wallet.held(), forged);
  await operator.createPayee({ payeeId: payeeId("OTHER"), name: "Other", currency: EUR });
  const other = await addTerminal(world, payeeId("OTHER"));
  const elsewhere = await other.request(300n);
  const foreign = other.record(elsewhere, wallet.held(), await wallet.signPayment(elsewhere));
  const answer = await terminal.client.upload([Uint8Array.of(0x01), foreign, badlySigned, good]);
  assert.deepEqual(
    answer.records.map(({ state, code }) => [state, code]),
    [
      ["refused", "BUNDLE_MALFORMED"],
      ["refused", "RECORD_OF_ANOTHER_PAYEE"],
      ["received", null],
      ["received", null],
    ],
  );
  assert.equal((await judged(terminal, payment.messageId)).state, "settled");
  const evidence = await eventually(async () => {
    const found = await operator.evidence(payment.messageId);
    return found.records.length === 2 && found.records.every(({ decidedAt }) => decidedAt !== null) && found;
  });
  assert.deepEqual(
    evidence.records.map(({ code, bytes }) => [code, bytes]),
    [
      ["SIGNATURE_INVALID", badlySigned],
      [null, good],
    ],
  );
  await assertSound(world);
});

test("an open payment takes what was captured; the rest stays with the payer", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  await wallet.sync();
  const paid = await wallet.payOpen(1_000n);
  await terminal.client.upload([await terminal.captureRecord(wallet.held(), paid, 350n)]);
  const outcome = await judged(terminal, paid.messageId);
  assert.deepEqual([outcome.state, outcome.takenMinor], ["settled", 350n]);
  assert.equal((await operator.account(account)).balanceMinor, 2_650n);
  await assertSound(world);
});

test("another payee's faulty capture of an open payment does not block the sound one", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, clock } = world;
  await operator.createPayee({ payeeId: payeeId("THIEF"), name: "Thief", currency: EUR });
  const thief = await addTerminal(world, payeeId("THIEF"));
  await wallet.sync();
  const paid = await wallet.payOpen(1_000n);
  const sound = await terminal.captureRecord(wallet.held(), paid, 600n);
  clock.now += 3_600;
  await thief.client.upload([await thief.captureRecord(wallet.held(), paid, 1_000n)]);
  const refused = await judged(thief, paid.messageId);
  assert.deepEqual([refused.state, refused.code], ["refused", "PAYMENT_EXPIRED"]);
  await terminal.client.upload([sound]);
  const outcome = await judged(terminal, paid.messageId);
  assert.deepEqual([outcome.state, outcome.takenMinor], ["settled", 600n]);
  await assertSound(world);
});

test("a payment known from the payer alone is pending; with the payee's upload or receipt it settles", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const holds = [wallet.held().content.certificateId];
  const requests = [await terminal.request(400n), await terminal.request(500n)];
  const [alone, receipted] = [
    await wallet.pay(requests[0] ?? assert.fail()),
    await wallet.pay(requests[1] ?? assert.fail()),
  ];
  const receipt = await terminal.receipt(receipted, 500n);
  const records = [
    wallet.record(alone, { request: requests[0] ?? assert.fail() }),
    wallet.record(receipted, { request: requests[1] ?? assert.fail(), receipt }),
  ];
  const brought = await wallet.client.sync({ records, holds });
  assert.deepEqual(
    brought.records.map(({ state }) => state),
    ["received", "received"],
  );
  const states = async () => {
    const { payments } = await wallet.client.sync({ records: [], holds });
    return new Map(payments.map(({ paymentId, state }) => [paymentId, state]));
  };
  await eventually(async () => (await states()).get(receipted.messageId) === "settled");
  assert.equal((await states()).get(alone.messageId), "pending");
  await terminal.client.upload([terminal.record(requests[0] ?? assert.fail(), wallet.held(), alone)]);
  assert.equal((await judged(terminal, alone.messageId)).state, "settled");
  await assertSound(world);
});

test("a payer's claim under another's receipt is turned away and settles nothing", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator } = world;
  const impostor = await addTerminal(world);
  await wallet.sync();
  const request = await terminal.request(400n);
  const payment = await wallet.pay(request);
  const receipt = await impostor.receipt(payment, 400n);
  const record = wallet.record(payment, { request, receipt });
  await wallet.client.sync({ records: [record] });
  const evidence = await eventually(async () => {
    const [waiting] = (await operator.evidence(payment.messageId)).records;
    return waiting?.decidedAt !== null && waiting;
  });
  assert.equal(evidence.code, "SIGNATURE_INVALID");
  assert.equal((await operator.account(world.account)).balanceMinor, 3_000n);
});

test("the payee's void gives the payment back to the payer, and a later upload of it is refused", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  await wallet.sync();
  const request = await terminal.request(900n);
  const payment = await wallet.pay(request);
  const requestVoid = await terminal.void(request);
  await wallet.client.sync({ records: [wallet.record(payment, { request, requestVoid })] });
  await eventually(async () => (await operator.evidence(payment.messageId)).payment?.state === "released");
  await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
  await eventually(async () => {
    const { records } = await operator.evidence(payment.messageId);
    return records.length === 2 && records.every(({ decidedAt }) => decidedAt !== null);
  });
  assert.equal((await operator.account(account)).balanceMinor, 3_000n);
  await assertSound(world);
});

test("a payment that nobody uploads is given back after the deadline", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, clock } = world;
  await wallet.sync();
  const request = await terminal.request(900n);
  const payment = await wallet.pay(request);
  await wallet.client.sync({ records: [wallet.record(payment, { request })] });
  const stateNow = async () => (await operator.evidence(payment.messageId)).payment?.state;
  await eventually(async () => (await stateNow()) === "pending");
  clock.now = wallet.held().content.expiresAt + 7 * 86_400 + 1;
  await eventually(async () => (await stateNow()) === "released");
});

test("a cloned wallet is proven: proof kept, certificate withdrawn, account frozen, until the operator resolves it", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  const second = await addTerminal(world);
  await wallet.sync();
  const clone = wallet.clone();
  const [left, right] = [await terminal.request(700n), await second.request(800n)];
  const [first, other] = [await wallet.pay(left), await clone.pay(right)];
  await terminal.client.upload([terminal.record(left, wallet.held(), first)]);
  await second.client.upload([second.record(right, wallet.held(), other)]);
  for (const [till, payment] of [
    [terminal, first],
    [second, other],
  ] as const)
    assert.equal((await judged(till, payment.messageId)).state, "settled", "an honest payee with many tills is paid");
  const [conflict] = await eventually(async () => {
    const conflicts = await operator.conflicts();
    return conflicts.length === 1 && conflicts;
  });
  assert.ok(conflict);
  assert.deepEqual(
    [conflict.firstBytes, conflict.secondBytes].toSorted(byHex),
    [first.bytes, other.bytes].toSorted(byHex),
  );
  assert.equal(conflict.account, account);
  const lists = await terminal.client.lists();
  const status = restoreVerified(statusList, lists.statusList, crypto).content;
  assert.equal(isRevoked(status, wallet.held().content.terms.statusIndex), true);
  const refused = await wallet.client.sync({ records: [] });
  assert.ok(refused.decision.reasons.some(({ code }) => code === "CONFLICT_UNRESOLVED"));
  assert.equal(await operator.resolveConflicts(account), 1);
  // What the withdrawn certificate may still cost counts until its deadline.
  await operator.topUp(account, { amountMinor: 9_000n, idempotencyKey: "more" });
  assert.equal((await wallet.client.sync({ records: [] })).decision.kind, "issue");
  assert.ok((await operator.conflicts()).every(({ resolvedAt }) => resolvedAt !== null));
  await assertSound(world);
});

const byHex = (left: Uint8Array, right: Uint8Array): number =>
  Buffer.from(left).toString("hex") < Buffer.from(right).toString("hex") ? -1 : 1;

test("nobody hears of another's payments", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator } = world;
  await operator.createPayee({ payeeId: payeeId("OTHER"), name: "Other", currency: EUR });
  const other = await addTerminal(world, payeeId("OTHER"));
  await wallet.sync();
  const request = await terminal.request(900n);
  const payment = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
  await judged(terminal, payment.messageId);
  const [seen] = (await other.client.outcomes([payment.messageId])).payments;
  assert.deepEqual([seen?.state, seen?.takenMinor, seen?.currency], ["unknown", 0n, null]);
  const [own] = (await wallet.client.outcomes([payment.messageId])).payments;
  assert.deepEqual([own?.state, own?.takenMinor], ["settled", 900n]);
  assert.equal((await operator.evidence(payment.messageId)).payment?.payeeId, KIOSK);
});
