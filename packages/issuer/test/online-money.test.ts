import assert from "node:assert/strict";
import { test } from "node:test";
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

test("what an offline certificate may still take cannot be withdrawn", async (t) => {
  const { issuer, operator, wallet, account } = await makeWorld(t);
  await wallet.sync();
  const money = new MoneyClient({ url: issuer.url, token: issuer.operatorToken });
  const { limitMinor } = wallet.held().content.terms;
  const { balanceMinor, creditLineMinor } = await operator.account(account);
  const freeMinor = balanceMinor + creditLineMinor - limitMinor;
  const withdrawable = freeMinor < balanceMinor ? freeMinor : balanceMinor;
  const order = (amountMinor: bigint) => ({ amountMinor, idempotencyKey: `k${amountMinor}` });
  assert.ok(limitMinor > 0n && withdrawable >= 0n);
  await assert.rejects(money.withdraw(account, order(withdrawable + 1n)), failsWith("FUNDS_INSUFFICIENT"));
  if (withdrawable > 0n) await money.withdraw(account, order(withdrawable));
  await assert.rejects(money.withdraw(account, order(1n)), failsWith("FUNDS_INSUFFICIENT"));
});
