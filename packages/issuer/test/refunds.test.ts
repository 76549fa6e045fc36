import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { refundShares } from "@cairn/settle";
import fc from "fast-check";
import { ClientError } from "../src/client/client-error.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { PayoutClient } from "../src/client/payout-client.ts";
import { eventually } from "./support/issuer.ts";
import { EUR } from "./support/values.ts";
import { KIOSK, makeWorld, type World } from "./support/world.ts";

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

/** Pays offline and waits until it is settled. */
async function pay({ wallet, terminal }: World, amountMinor: bigint): Promise<MessageId> {
  const request = await terminal.request(amountMinor);
  const { messageId } = await wallet.pay(request).then(async (payment) => {
    await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
    return payment;
  });
  await eventually(async () => (await terminal.client.outcomes([messageId])).payments[0]?.state === "settled");
  return messageId;
}

for (const swept of [false, true])
  test(`a settled payment is given back in parts, credit before balance${swept ? ", after a sweep" : ""}`, async (t) => {
    const world = await makeWorld(t);
    await world.wallet.sync();
    const { issuer, operator, account } = world;
    const access = { url: issuer.url, token: issuer.operatorToken };
    const money = new MoneyClient(access);
    await pay(world, 2_000n);
    const paymentId = await pay(world, 1_500n);
    if (swept) await new PayoutClient(access).sweep();
    const order = (amountMinor: bigint, idempotencyKey: string) => ({ amountMinor, idempotencyKey });
    const standing = async () => {
      const { balanceMinor, creditUsedMinor } = await operator.account(account);
      return [balanceMinor, creditUsedMinor];
    };
    assert.deepEqual(await standing(), [0n, 500n]);
    assert.deepEqual(await money.refund(paymentId, order(300n, "a")), { repeated: false });
    assert.deepEqual(await standing(), [0n, 200n]);
    assert.deepEqual(await money.refund(paymentId, order(300n, "a")), { repeated: true });
    await assert.rejects(money.refund(paymentId, order(301n, "a")), failsWith("IDEMPOTENCY_KEY_REUSED"));
    await money.refund(paymentId, order(700n, "b"));
    assert.deepEqual(await standing(), [500n, 0n]);
    await assert.rejects(money.refund(paymentId, order(501n, "c")), failsWith("REFUND_EXCEEDS_PAYMENT"));
    await money.refund(paymentId, order(500n, "c"));
    await assert.rejects(money.refund(paymentId, order(1n, "d")), failsWith("REFUND_EXCEEDS_PAYMENT"));
    assert.deepEqual(await standing(), [1_000n, 0n]);
    const trial = await operator.trialBalance();
    const ofPayee = trial.filter(({ ledgerAccount }) => /^(?:clearing|payee):KIOSK$/.test(ledgerAccount));
    assert.equal(
      ofPayee.reduce((sum, { minor }) => sum + minor, 0n),
      -2_000n,
    );
    assert.deepEqual((await operator.verifyBooks()).faults, []);
  });

test("a refund waits for the payee's money and is completed by the same call", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const { issuer, operator, account } = world;
  const access = { url: issuer.url, token: issuer.operatorToken };
  const [money, payouts] = [new MoneyClient(access), new PayoutClient(access)];
  const paymentId = await pay(world, 1_000n);
  const fees = { feeBasisPoints: 0, feeFixedMinor: "0", feeMinimumMinor: "0", feeMaximumMinor: null };
  await payouts.setTerms(KIOSK, { ...fees, holder: "Kiosk", iban: "DE89370400440532013000" });
  await payouts.createBatch({ batchId: "B", currency: EUR });
  const order = { amountMinor: 1_000n, idempotencyKey: "k" };
  await assert.rejects(money.refund(paymentId, order), failsWith("PAYEE_FUNDS_INSUFFICIENT"));
  await assert.rejects(money.refund(paymentId, { ...order, idempotencyKey: "l" }), failsWith("REFUND_EXCEEDS_PAYMENT"));
  const { account: other } = await operator.createAccount({ name: "Bob", currency: EUR });
  await operator.topUp(other, { amountMinor: 2_000n, idempotencyKey: "in" });
  await money.pay(other, { amountMinor: 1_000n, idempotencyKey: "p", payeeId: KIOSK });
  await money.refund(paymentId, order);
  assert.equal((await operator.account(account)).balanceMinor, 3_000n);
  assert.equal((await money.refund(paymentId, order)).repeated, true);
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("many small refunds give to each what one large one would", () => {
  const minors = fc.bigInt({ min: 0n, max: 1_000n });
  fc.assert(
    fc.property(
      minors,
      minors,
      minors,
      fc.array(fc.bigInt({ min: 1n, max: 400n })),
      (balanceMinor, creditMinor, reserveMinor, parts) => {
        const funding = { balanceMinor, creditMinor, reserveMinor };
        const takenMinor = balanceMinor + creditMinor + reserveMinor;
        const sum = { reserveMinor: 0n, creditMinor: 0n, balanceMinor: 0n };
        let refundedMinor = 0n;
        for (const amountMinor of parts) {
          if (refundedMinor + amountMinor > takenMinor) break;
          const creditUsedMinor = creditMinor - sum.creditMinor;
          const shares = refundShares({ funding, refundedMinor, amountMinor, creditUsedMinor });
          sum.reserveMinor += shares.reserveMinor;
          sum.creditMinor += shares.creditMinor;
          sum.balanceMinor += shares.balanceMinor;
          refundedMinor += amountMinor;
        }
        if (refundedMinor === 0n) return;
        const whole = { funding, refundedMinor: 0n, amountMinor: refundedMinor, creditUsedMinor: creditMinor };
        assert.deepEqual(sum, refundShares(whole));
      },
    ),
  );
});

test("metrics are for the operator, in the text format, and say what is held and where money stands", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  await pay(world, 2_000n);
  await pay(world, 1_500n);
  const { issuer } = world;
  const bare = await fetch(`${issuer.url}/metrics`);
  assert.equal(bare.status, 401);
  const answer = await fetch(`${issuer.url}/metrics`, { headers: { authorization: `Bearer ${issuer.operatorToken}` } });
  assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  for (const line of text.trimEnd().split("\n"))
    assert.match(
      line,
      /^(?:# (?:HELP|TYPE) cairn_\w+ .+|cairn_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? -?\d+(?:\.\d+)?(?:e-\d+)?)$/,
    );
  const lines = text.split("\n");
  for (const wanted of [
    "cairn_ready 1",
    "cairn_held_payments 0",
    "cairn_inbox_waiting_records 0",
    "cairn_held_oldest_seconds 0",
    'cairn_ledger_minor{kind="clearing",currency="EUR"} -3500',
    'cairn_ledger_minor{kind="credit",currency="EUR"} 500',
    'cairn_ledger_minor{kind="cash",currency="EUR"} 3000',
    'cairn_http_calls_total{route="/metrics",status="401"} 1',
  ])
    assert.ok(lines.includes(wanted), wanted);
});
