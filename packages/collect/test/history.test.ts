import assert from "node:assert/strict";
import { test } from "node:test";
import { chargeFor, DAY, eur, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

test("shows what happened, newest first", async () => {
  const { terminal, clock } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await terminal.charge({ amount: eur(100n), orderReference: "Table 4" });
  assert.ok(asked.kind === "requested");
  clock.at = NOW + 1;
  await terminal.accept((await payer.pay(asked.codeText)).codeText);
  clock.at = NOW + 2;
  const voided = await chargeFor(terminal, 10n);
  await terminal.voidRequest(voided.requestId);
  clock.at = NOW + 3;
  await terminal.acceptOpen((await payer.payOpen(500n)).codeText);
  clock.at = NOW + 4;
  await terminal.acceptOpen((await payer.payOpen(500n, { spentMinor: 20_000n })).codeText);
  clock.at = NOW + 400;
  await chargeFor(terminal, 20n);
  clock.at = NOW + 500;
  const shown = (await terminal.history({ limit: 99 })).map((entry) =>
    entry.kind === "refused"
      ? [entry.at - NOW, `refused ${entry.refused.kind}`, entry.refused.code]
      : [entry.at - NOW, entry.kind, entry.state],
  );
  assert.deepEqual(shown, [
    [400, "request", "open"],
    [4, "refused open-payment", "LIMIT_EXCEEDED"],
    [3, "payment", "uncaptured"],
    [2, "request", "voided"],
    [1, "payment", "stored"],
  ]);
  const [payment] = await terminal.history({ from: NOW + 1, until: NOW + 2, limit: 9 });
  assert.ok(payment?.kind === "payment");
  assert.deepEqual([payment.orderReference, payment.guaranteed], ["Table 4", true]);
  assert.equal((await terminal.history({ limit: 2 })).length, 2);
  clock.at = NOW + 700;
  const [last] = await terminal.history({ limit: 1 });
  assert.ok(last?.kind === "request" && last.state === "open", "in its last second");
  clock.at = NOW + 701;
  const [newest] = await terminal.history({ limit: 1 });
  assert.ok(newest?.kind === "request" && newest.state === "expired");
});

test("the end of the day adds up by state, within a time", async () => {
  const { terminal, clock } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const pay = async (minor: bigint) =>
    terminal.accept((await payer.pay((await chargeFor(terminal, minor)).codeText)).codeText);
  await pay(100n);
  clock.at = NOW + DAY / 2;
  await pay(30n);
  await pay(7n);
  assert.deepEqual(await terminal.totals({ from: NOW + 1, until: NOW + DAY }), {
    currency: "EUR",
    byState: [{ state: "stored", count: 2, totalMinor: 37n }],
    count: 2,
    totalMinor: 37n,
  });
  assert.equal((await terminal.totals({})).totalMinor, 137n);
  assert.deepEqual((await terminal.totals({ until: NOW })).byState, []);
});

test("tells what may still be stored, and how old the lists are", async () => {
  const { terminal, clock } = await makeTerminal(issuer, { payee: { terms: { storedTotalCapMinor: 150n } } });
  const payer = await makePayer(issuer);
  await terminal.accept((await payer.pay((await chargeFor(terminal, 100n)).codeText)).codeText);
  clock.at = NOW + DAY - 3_600;
  const fresh = await terminal.standing();
  assert.deepEqual([fresh.stored.count, fresh.storableMinor, fresh.isStatusListStale], [1, 50n, false]);
  clock.at++;
  assert.equal((await terminal.standing()).isStatusListStale, true);
});

test("when the payee may store less than is stored already, nothing more may be, not less than nothing", async () => {
  const { terminal, enrolment, signer } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  await terminal.accept((await payer.pay((await chargeFor(terminal, 100n)).codeText)).codeText);
  const renewed = await issuer.signPayee(signer, { issuedAt: NOW, terms: { storedTotalCapMinor: 60n } });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: renewed.bytes }), []);
  assert.equal((await terminal.standing()).storableMinor, 0n);
});

test("a slow clock goes by whatever the issuer signed last", async () => {
  for (const change of [
    { trustList: { issuedAt: NOW + 9 } },
    { statusList: { issuedAt: NOW + 9 } },
    { payee: { issuedAt: NOW + 9 } },
  ])
    assert.equal((await (await makeTerminal(issuer, change)).terminal.standing()).now, NOW + 9);
});
