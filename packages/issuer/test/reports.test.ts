import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "../src/client/client-error.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { PayoutClient } from "../src/client/payout-client.ts";
import { ReportClient } from "../src/client/report-client.ts";
import { eventually } from "./support/issuer.ts";
import { KIOSK, makeWorld } from "./support/world.ts";

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

test("statements open, change and close by their entries, balance and credit apart; payments are reconciled", async (t) => {
  const world = await makeWorld(t);
  const { issuer, operator, account, wallet, terminal, clock } = world;
  const access = { url: issuer.url, token: issuer.operatorToken };
  const [money, reports] = [new MoneyClient(access), new ReportClient(access)];
  const start = clock.now;
  clock.now += 10;
  await wallet.sync();
  const records: Uint8Array[] = [];
  for (const amountMinor of [2_000n, 1_500n]) {
    const request = await terminal.request(amountMinor);
    records.push(terminal.record(request, wallet.held(), await wallet.pay(request)));
  }
  await terminal.client.upload(records);
  const settled = await eventually(async () => {
    const answer = await reports.reconciliation({ from: start, to: start + 100 });
    return answer.lines.every(({ state }) => state === "settled") && answer.payments === 2 && answer;
  });
  assert.deepEqual(
    settled.lines.map(({ state, currency, payments, amountMinor, takenMinor }) => [
      state,
      currency,
      payments,
      amountMinor,
      takenMinor,
    ]),
    [["settled", "EUR", 2, 3_500n, 3_500n]],
  );
  assert.equal((await reports.reconciliation({ from: start + 100, to: start + 200 })).payments, 0);
  clock.now += 10;
  await operator.topUp(account, { amountMinor: 700n, idempotencyKey: "later" });
  await new PayoutClient(access).sweep();
  clock.now += 10;
  await money.withdraw(account, { amountMinor: 1n, idempotencyKey: "w" }).catch(() => undefined);

  const told = await reports.statement({ account }, { from: start + 5, to: start + 25 });
  assert.deepEqual(
    [told.opening, ...told.lines, told.closing].map(({ balanceMinor, creditUsedMinor }) => [
      balanceMinor,
      creditUsedMinor,
    ]),
    [
      [3_000n, 0n],
      [-2_000n, 0n],
      [-1_000n, 500n],
      [200n, -500n],
      [200n, 0n],
    ],
  );
  assert.equal(told.csv.split("\r\n").length, 7);
  assert.match(told.csv, /^kind,time,reference,balance,credit_used,currency\r\nopening,,,30\.00,0\.00,EUR\r\n/);
  assert.match(told.camt053, /<Cd>OPBD<\/Cd>.*<Amt Ccy="EUR">30\.00<\/Amt><CdtDbtInd>CRDT/);
  assert.match(told.camt053, /<Amt Ccy="EUR">15\.00<\/Amt><CdtDbtInd>DBIT.*balance -10\.00, credit used 5\.00/);
  assert.match(told.camt053, /<Cd>CLBD<\/Cd>.*<Amt Ccy="EUR">2\.00<\/Amt><CdtDbtInd>CRDT/);

  const payee = await reports.statement({ payeeId: KIOSK }, { from: start, to: start + 100 });
  assert.deepEqual(
    payee.lines.map(({ kind, balanceMinor }) => [kind, balanceMinor]),
    [
      ["settlement", 2_000n],
      ["settlement", 1_500n],
    ],
  );
  assert.equal(payee.closing.balanceMinor, 3_500n);
  await assert.rejects(reports.statement({ account: 999 }, { from: 0, to: 1 }), failsWith("ACCOUNT_UNKNOWN"));
});
