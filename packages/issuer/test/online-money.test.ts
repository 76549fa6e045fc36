import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type HoldPart, readPolicy } from "@cairn/issue";
import { currency } from "@cairn/messages";
import { ClientError } from "../src/client/client-error.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { startTestIssuer } from "./support/issuer.ts";
import { EUR } from "./support/values.ts";
import { KIOSK, makeWorld } from "./support/world.ts";

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

test("money is withdrawn, transferred and paid once for each key, in entries that add up", async (t) => {
  const { issuer, operator } = await startTestIssuer(t);
  const money = new MoneyClient({ url: issuer.url, token: issuer.operatorToken });
  const { account: ada } = await operator.createAccount({ name: "Ada", currency: EUR });
  const { account: bob } = await operator.createAccount({ name: "Bob", currency: EUR });
  await operator.createPayee({ payeeId: KIOSK, name: "Kiosk", currency: EUR });
  await operator.topUp(ada, { amountMinor: 1_000n, idempotencyKey: "in" });
  await operator.setCredit(ada, { lineMinor: 400n, overdueMinor: 0n, scoreBand: "B" });

  const order = { amountMinor: 100n, idempotencyKey: "k" };
  assert.equal((await money.withdraw(ada, order)).repeated, false);
  const repeated = await money.withdraw(ada, order);
  assert.deepEqual([repeated.repeated, repeated.account.balanceMinor], [true, 900n]);
  await assert.rejects(money.withdraw(ada, { ...order, amountMinor: 99n }), failsWith("IDEMPOTENCY_KEY_REUSED"));

  assert.equal((await money.transfer(ada, { ...order, to: bob })).account.balanceMinor, 800n);
  assert.equal((await money.transfer(ada, { ...order, to: bob })).repeated, true);
  assert.equal((await operator.account(bob)).balanceMinor, 100n);
  const other = { ...order, amountMinor: 101n, to: bob };
  await assert.rejects(money.transfer(ada, other), failsWith("IDEMPOTENCY_KEY_REUSED"));

  const paid = await money.pay(ada, { ...order, amountMinor: 1_000n, payeeId: KIOSK });
  assert.deepEqual([paid.account.balanceMinor, paid.account.creditUsedMinor], [0n, 200n]);
  assert.equal((await money.pay(ada, { ...order, amountMinor: 1_000n, payeeId: KIOSK })).repeated, true);
  const trial = new Map((await operator.trialBalance()).map(({ ledgerAccount, minor }) => [ledgerAccount, minor]));
  assert.deepEqual([trial.get("cash"), trial.get("clearing:KIOSK")], [900n, -1_000n]);
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("online money is refused by code: too much, blocked, another currency, to itself, nobody there", async (t) => {
  const { issuer, operator } = await startTestIssuer(t);
  const money = new MoneyClient({ url: issuer.url, token: issuer.operatorToken });
  const { account: ada } = await operator.createAccount({ name: "Ada", currency: EUR });
  const { account: yen } = await operator.createAccount({ name: "Yui", currency: currency("JPY") });
  await operator.topUp(ada, { amountMinor: 1_000n, idempotencyKey: "in" });
  const order = (amountMinor: bigint) => ({ amountMinor, idempotencyKey: `k${amountMinor}` });
  await assert.rejects(money.withdraw(ada, order(1_001n)), failsWith("FUNDS_INSUFFICIENT"));
  await assert.rejects(money.withdraw(ada, order(0n)), failsWith("AMOUNT_OUT_OF_RANGE"));
  await assert.rejects(money.withdraw(999, order(1n)), failsWith("ACCOUNT_UNKNOWN"));
  await assert.rejects(money.transfer(ada, { ...order(1n), to: ada }), failsWith("SAME_ACCOUNT"));
  await assert.rejects(money.transfer(ada, { ...order(1n), to: yen }), failsWith("CURRENCY_DIFFERS"));
  await assert.rejects(money.transfer(ada, { ...order(1n), to: 999 }), failsWith("ACCOUNT_UNKNOWN"));
  await assert.rejects(money.pay(ada, { ...order(1n), payeeId: KIOSK }), failsWith("PAYEE_UNKNOWN"));
  await operator.setAccountStatus(ada, "frozen");
  await assert.rejects(money.withdraw(ada, order(1n)), failsWith("ACCOUNT_FROZEN"));
  assert.deepEqual((await operator.account(ada)).balanceMinor, 1_000n);
});

const heldBy = async (t: TestContext, hold: HoldPart) => {
  const world = await makeWorld(t, { policy: readPolicy({ hold }) });
  await world.wallet.sync();
  const money = new MoneyClient({ url: world.issuer.url, token: world.issuer.operatorToken });
  const order = (amountMinor: bigint) => ({ amountMinor, idempotencyKey: `k${amountMinor}` });
  const withdraw = (amountMinor: bigint) => money.withdraw(world.account, order(amountMinor));
  const pay = (amountMinor: bigint) => money.pay(world.account, { ...order(amountMinor), payeeId: KIOSK });
  // 80 % of 30.00 and 50 % of 50.00.
  assert.equal(world.wallet.held().content.terms.limitMinor, 4_900n);
  return { ...world, withdraw, pay };
};

test("the whole limit is held: what an offline certificate may still take is out of reach online", async (t) => {
  const { withdraw, pay, operator, account } = await heldBy(t, "whole-limit");
  await assert.rejects(withdraw(1n), failsWith("FUNDS_INSUFFICIENT"));
  await assert.rejects(pay(3_101n), failsWith("FUNDS_INSUFFICIENT"));
  await pay(3_100n);
  assert.deepEqual((await operator.account(account)).creditUsedMinor, 100n);
});

test("the balance's part is held: the rest of the balance can be withdrawn, and the credit be used online", async (t) => {
  const { withdraw, pay } = await heldBy(t, "balance-part");
  await assert.rejects(withdraw(601n), failsWith("FUNDS_INSUFFICIENT"));
  await withdraw(600n);
  await assert.rejects(pay(5_001n), failsWith("FUNDS_INSUFFICIENT"));
  await pay(5_000n);
});

test("nothing is held: all of the balance can be withdrawn, and all of the credit be used online", async (t) => {
  const { withdraw, pay } = await heldBy(t, "none");
  await withdraw(3_000n);
  await pay(5_000n);
});

test("a hold ends when the certificate is closed, and when its upload deadline has passed", async (t) => {
  const closed = await heldBy(t, "whole-limit");
  // Debt that is overdue: the closed certificate is not followed by a new one.
  await closed.operator.setCredit(closed.account, { lineMinor: 5_000n, overdueMinor: 1n, scoreBand: "A" });
  const answer = await closed.wallet.sync({ records: [await closed.wallet.closingRecord()] });
  assert.equal(answer.decision.kind, "refuse");
  await closed.withdraw(3_000n);
  const expired = await heldBy(t, "whole-limit");
  await assert.rejects(expired.withdraw(3_000n), failsWith("FUNDS_INSUFFICIENT"));
  expired.clock.now += (14 + 7) * 86_400 + 1;
  await expired.withdraw(3_000n);
});
