import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { MemoryIssuerStore } from "@cairn/stores";
import { ClientError } from "../src/client/client-error.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { PayoutClient } from "../src/client/payout-client.ts";
import { ReportClient } from "../src/client/report-client.ts";
import { camt053, statementCsv } from "../src/services/statement-documents.ts";
import { statement } from "../src/services/statements.ts";
import { eventually } from "./support/issuer.ts";
import { EUR } from "./support/values.ts";
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

  const period = { from: start + 5, to: start + 25 };
  const told = await reports.statement({ account }, period);
  const [csv, camt] = await Promise.all(
    (["csv", "camt053"] as const).map(async (format) =>
      new Response(await reports.statementFile({ account }, period, format)).text(),
    ),
  );
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
  assert.equal(csv?.split("\r\n").length, 7);
  assert.match(csv ?? "", /^kind,time,reference,balance,credit_used,currency\r\nopening,,,30\.00,0\.00,EUR\r\n/);
  assert.match(camt ?? "", /<Cd>OPBD<\/Cd>.*<Amt Ccy="EUR">30\.00<\/Amt><CdtDbtInd>CRDT/);
  assert.match(camt ?? "", /<Amt Ccy="EUR">15\.00<\/Amt><CdtDbtInd>DBIT.*balance -10\.00, credit used 5\.00/);
  assert.match(camt ?? "", /<Cd>CLBD<\/Cd>.*<Amt Ccy="EUR">2\.00<\/Amt><CdtDbtInd>CRDT/);

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

test("a statement longer than a page is read as it is sent, and what is posted meanwhile makes it no false sum", async () => {
  const store = new MemoryIssuerStore();
  const account = await store.createAccount({ name: "Ada", currency: EUR, createdAt: 1 });
  const post = (key: number) => store.topUp({ account, amountMinor: 2n, idempotencyKey: `${key}`, at: key });
  for (let key = 1; key <= 2_500; key++) await post(key);
  const told = await statement({ account }, { from: 501, to: 2_001 }, store);
  const balances = [told.opening, told.closing].map(({ balanceMinor }) => balanceMinor);
  assert.deepEqual(balances, [1_000n, 4_000n]);
  const lines = await Readable.from(told.lines).toArray();
  assert.deepEqual([lines.length, lines[0]?.postedAt, lines.at(-1)?.postedAt], [1_500, 501, 2_000]);

  const open = await statement({ account }, { from: 501, to: 9_999 }, store);
  await post(9_000);
  const csv = await text(Readable.from(statementCsv(open)));
  assert.match(csv, /\r\nclosing,,,50\.02,0\.00,EUR\r\n$/, "what closes is what opens and all that is told");
  const told053 = text(Readable.from(camt053(await statement({ account }, { from: 501, to: 9_999 }, store))));
  assert.match(await told053, /<\/Document>\n$/);
  // There what closes comes first.
  await assert.rejects(text(Readable.from(camt053(open))), { code: "STATEMENT_CHANGED" });
});
