import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import { EUR, payeeId } from "./support/values.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

async function sell({ wallet, terminal }: World, amountMinor: bigint): Promise<MessageId> {
  const request = await terminal.request(amountMinor);
  const { messageId, ...payment } = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), { messageId, ...payment })]);
  await eventually(async () => (await terminal.client.outcomes([messageId])).payments[0]?.state === "settled");
  return messageId;
}

test("a till gives back its payee's settled payment in parts, each once, never more than was paid", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const { operator, account, terminal } = world;
  const paymentId = await sell(world, 1_000n);
  const order = (amountMinor: bigint, key: string) => ({ paymentId, amountMinor, key });
  const { balanceMinor } = await operator.account(account);
  assert.deepEqual(await terminal.client.refund(order(400n, "a")), {
    takenMinor: 1_000n,
    refundedMinor: 400n,
    waitingMinor: 0n,
    repeated: false,
  });
  assert.equal((await terminal.client.refund(order(400n, "a"))).repeated, true, "the answer was lost");
  await assert.rejects(terminal.client.refund(order(401n, "a")), { code: "IDEMPOTENCY_KEY_REUSED" });
  await assert.rejects(terminal.client.refund(order(601n, "b")), { code: "REFUND_EXCEEDS_PAYMENT" });
  const second = await addTerminal(world);
  await second.client.refund(order(600n, "a"));
  await assert.rejects(terminal.client.refund(order(1n, "c")), { code: "REFUND_EXCEEDS_PAYMENT" });
  assert.equal((await terminal.client.refund(order(0n, "ask"))).refundedMinor, 1_000n);
  assert.equal((await operator.account(account)).balanceMinor, balanceMinor + 1_000n);
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("nobody gives back, or hears of, what was paid to another payee or is not settled", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const { operator, wallet, terminal } = world;
  const paymentId = await sell(world, 1_000n);
  const ferry = payeeId("FERRY");
  await operator.createPayee({ payeeId: ferry, name: "Bay Ferry", currency: EUR });
  const other = await addTerminal(world, ferry);
  for (const amountMinor of [0n, 100n])
    await assert.rejects(other.client.refund({ paymentId, amountMinor, key: "a" }), { code: "PAYMENT_UNKNOWN" });
  await assert.rejects(wallet.client.refund({ paymentId, amountMinor: 100n, key: "a" }), { code: "CALLER_UNKNOWN" });
  await assert.rejects(terminal.client.refund({ paymentId, amountMinor: 1n, key: "not a key" }), {
    code: "CALL_MALFORMED",
  });

  const pending = await terminal.request(100n);
  const unsettled = await wallet.pay(pending);
  await wallet.client.sync({ records: [wallet.record(unsettled, { request: pending })] });
  await eventually(async () => (await operator.evidence(unsettled.messageId)).payment?.state === "pending");
  const order = { paymentId: unsettled.messageId, amountMinor: 1n, key: "a" };
  await assert.rejects(terminal.client.refund(order), { code: "PAYMENT_UNKNOWN" });
});

test("an issuer may keep refunds to its operator; tills still hear how it stands", async (t) => {
  const world = await makeWorld(t, { tillRefunds: false });
  await world.wallet.sync();
  const paymentId = await sell(world, 1_000n);
  const { client } = world.terminal;
  await assert.rejects(client.refund({ paymentId, amountMinor: 1n, key: "a" }), { code: "TILL_REFUNDS_OFF" });
  assert.equal((await client.refund({ paymentId, amountMinor: 0n, key: "a" })).takenMinor, 1_000n);
});
