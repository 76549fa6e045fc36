import assert from "node:assert/strict";
import { test } from "node:test";
import { feeOf } from "@cairn/settle";
import fc from "fast-check";
import { MoneyClient } from "../src/client/money-client.ts";
import { PayoutClient } from "../src/client/payout-client.ts";
import { isIban } from "../src/services/payouts/iban.ts";
import { startTestIssuer } from "./support/issuer.ts";
import { EUR, payeeId } from "./support/values.ts";

const IBAN = "DE89370400440532013000";
const NO_FEE = { feeBasisPoints: 0, feeFixedMinor: "0", feeMinimumMinor: "0", feeMaximumMinor: null };
const EXPORT = { format: "pain.001", debtorName: "Bank & Co", debtorIban: IBAN, executionDate: "2026-12-01" } as const;

test("what payees earned in many partitions is swept, paid out less the fee, and returned in full", async (t) => {
  const { issuer, operator } = await startTestIssuer(t);
  const access = { url: issuer.url, token: issuer.operatorToken };
  const [money, payouts] = [new MoneyClient(access), new PayoutClient(access)];
  const [shop, cafe, poor] = [payeeId("SHOP"), payeeId("CAFE"), payeeId("POOR")];
  for (const id of [shop, cafe, poor]) await operator.createPayee({ payeeId: id, name: id, currency: EUR });
  for (let number = 1; number <= 6; number++) {
    const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
    await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "in" });
    await money.pay(account, { amountMinor: 1_000n, idempotencyKey: "s", payeeId: shop });
    await money.pay(account, { amountMinor: 300n, idempotencyKey: "c", payeeId: cafe });
  }
  const balances = async () =>
    new Map((await operator.trialBalance()).map(({ ledgerAccount, minor }) => [ledgerAccount, minor]));
  assert.equal(await payouts.sweep(), 12);
  assert.equal(await payouts.sweep(), 0);
  const swept = await balances();
  assert.deepEqual(
    [swept.get("payee:SHOP"), swept.get("payee:CAFE"), swept.get("clearing:SHOP")],
    [-6_000n, -1_800n, 0n],
  );

  await payouts.setTerms(shop, {
    ...NO_FEE,
    holder: "Shop <Ltd>",
    iban: IBAN,
    feeBasisPoints: 125,
    feeFixedMinor: "25",
  });
  await payouts.setTerms(cafe, { ...NO_FEE, holder: "=Café", iban: IBAN });
  const batch = await payouts.createBatch({ batchId: "NOV-23", currency: EUR });
  assert.deepEqual(await payouts.createBatch({ batchId: "NOV-23", currency: EUR }), batch);
  assert.deepEqual(
    batch.payouts.map(({ payeeId: of, grossMinor, feeMinor, netMinor }) => [of, grossMinor, feeMinor, netMinor]),
    [
      ["CAFE", 1_800n, 0n, 1_800n],
      ["SHOP", 6_000n, 100n, 5_900n],
    ],
  );
  assert.equal(batch.state, "draft");

  const { document } = await payouts.exportBatch("NOV-23", EXPORT);
  assert.equal((await payouts.exportBatch("NOV-23", EXPORT)).document, document);
  assert.deepEqual(leavesOf(document), [
    "Document/CstmrCdtTrfInitn/GrpHdr/MsgId=NOV-23",
    "Document/CstmrCdtTrfInitn/GrpHdr/CreDtTm=2027-01-15T08:00:00Z",
    "Document/CstmrCdtTrfInitn/GrpHdr/NbOfTxs=2",
    "Document/CstmrCdtTrfInitn/GrpHdr/CtrlSum=77.00",
    "Document/CstmrCdtTrfInitn/GrpHdr/InitgPty/Nm=Bank &amp; Co",
    "Document/CstmrCdtTrfInitn/PmtInf/PmtInfId=NOV-23",
    "Document/CstmrCdtTrfInitn/PmtInf/PmtMtd=TRF",
    "Document/CstmrCdtTrfInitn/PmtInf/NbOfTxs=2",
    "Document/CstmrCdtTrfInitn/PmtInf/CtrlSum=77.00",
    "Document/CstmrCdtTrfInitn/PmtInf/ReqdExctnDt/Dt=2026-12-01",
    "Document/CstmrCdtTrfInitn/PmtInf/Dbtr/Nm=Bank &amp; Co",
    `Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id/IBAN=${IBAN}`,
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/Othr/Id=NOTPROVIDED",
    "Document/CstmrCdtTrfInitn/PmtInf/ChrgBr=SLEV",
    ...[
      ["CAFE", "18.00", "=Café"],
      ["SHOP", "59.00", "Shop &lt;Ltd&gt;"],
    ].flatMap(([id, amount, holder]) => [
      `Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId/EndToEndId=NOV-23-${id}`,
      `Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt/InstdAmt=${amount}`,
      `Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr/Nm=${holder}`,
      `Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN=${IBAN}`,
      "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/RmtInf/Ustrd=Payout NOV-23",
    ]),
  ]);
  const csv = (await payouts.exportBatch("NOV-23", { ...EXPORT, format: "csv" })).document.split("\r\n");
  assert.equal(csv[1], `NOV-23,CAFE,'=Café,${IBAN},18.00,0.00,18.00,EUR,ordered,`);

  assert.equal((await payouts.decide("NOV-23", cafe, { state: "paid", reason: null })).state, "exported");
  const done = await payouts.decide("NOV-23", shop, { state: "returned", reason: "account closed" });
  assert.equal(done.state, "done");
  assert.deepEqual(await payouts.decide("NOV-23", shop, { state: "returned", reason: "again" }), done);
  const after = await balances();
  assert.deepEqual(
    ["payee:SHOP", "payee:CAFE", "payouts", "fees", "cash"].map((name) => after.get(name)),
    [-6_000n, 0n, 0n, 0n, 28_200n],
  );
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("a fee is rounded half up, bounded below and above, and never more than the payout", () => {
  const policy = { basisPoints: 150, fixedMinor: 10n, minimumMinor: 30n, maximumMinor: 500n };
  assert.deepEqual(
    [10n, 1_000n, 2_033n, 2_034n, 10_000n, 1_000_000n].map((gross) => feeOf(gross, policy)),
    [10n, 30n, 40n, 41n, 160n, 500n],
  );
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 53n }),
      fc.nat({ max: 10_000 }),
      fc.bigInt({ min: 0n, max: 999n }),
      (gross, basisPoints, fixedMinor) => {
        const fee = feeOf(gross, { basisPoints, fixedMinor, minimumMinor: 0n, maximumMinor: undefined });
        assert.ok(fee >= 0n && fee <= gross);
      },
    ),
  );
});

test("an IBAN with a wrong digit is none", () => {
  assert.ok(isIban(IBAN) && isIban("GB82WEST12345698765432") && isIban("NO9386011117947"));
  for (let index = 2; index < IBAN.length; index++) {
    const wrong = `${IBAN.slice(0, index)}${(Number(IBAN[index]) + 1) % 10}${IBAN.slice(index + 1)}`;
    assert.equal(isIban(wrong), false, wrong);
  }
  assert.equal(isIban("DE89 3704 0044 0532 0130 00"), false);
});

/** Path and text of every element that holds text, in order. Throws for tags that do not close each other. */
function leavesOf(xml: string): string[] {
  const path: string[] = [];
  const leaves: string[] = [];
  for (const [, closing, name = "", text = ""] of xml.matchAll(/<(\/?)([A-Za-z0-9]+)(?: [^<>]*)?>([^<]*)/g)) {
    if (closing === "/") assert.equal(path.pop(), name);
    else path.push(name);
    if (closing !== "/" && text.trim() !== "") leaves.push(`${path.join("/")}=${text}`);
  }
  assert.deepEqual(path, []);
  return leaves;
}
