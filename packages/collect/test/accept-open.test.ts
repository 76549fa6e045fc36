import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  type Capture,
  type CapturedPayment,
  capture,
  currency,
  expectCode,
  openPayment,
  type PayeeId,
  payeeCertificate,
  readCode,
  readUploadRecord,
  receipt,
  refuseCapturedPayment,
  restoreVerified,
  userCertificate,
} from "@cairn/messages";
import { codeOf, crypto, DAY, makeIssuer, makePayer, makeTerminal, NOW, replaceStatusList } from "./world.ts";

const issuer = makeIssuer();
type Terminal = Awaited<ReturnType<typeof makeTerminal>>["terminal"];
type Payer = Awaited<ReturnType<typeof makePayer>>;

test("accepts up to the maximum, and captures at once when told the amount", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const outcome = await terminal.acceptOpen((await payer.payOpen(500n)).codeText, { captureMinor: 320n });
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.acceptance.amountMinor, 500n);
  assert.equal(outcome.acceptance.takenMinor, 320n);
  const signed = restoreVerified(receipt, expectCode(readCode(outcome.receiptCode ?? ""), "receipt").message, crypto);
  assert.equal(signed.content.amountMinor, 320n);
});

test("what is captured counts against the payee's ceiling, not what might have been", async () => {
  const { terminal } = await makeTerminal(issuer, { payee: { terms: { perCertificateCapMinor: 400n } } });
  const payer = await makePayer(issuer);
  const within = await terminal.acceptOpen((await payer.payOpen(500n)).codeText, { captureMinor: 400n });
  assert.ok(within.kind === "accepted");
  assert.deepEqual([within.guaranteed, within.acceptance.risk], [true, undefined]);
  const beyond = await terminal.acceptOpen((await payer.payOpen(500n)).codeText, { captureMinor: 1n });
  assert.ok(beyond.kind === "accepted");
  assert.equal(beyond.acceptance.risk, "PAYEE_CEILING_REACHED");
  const shown = await terminal.history({ limit: 9 });
  assert.deepEqual(
    shown.map((entry) => entry.kind === "payment" && [entry.acceptance.takenMinor, entry.guaranteed]).toSorted(),
    [
      [1n, false],
      [400n, true],
    ],
  );
});

test("is accepted at the time that the payer's certificate proves to be reached", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer, { issuedAt: NOW + 200 });
  const outcome = await terminal.acceptOpen((await payer.payOpen(500n, { expiresAt: NOW + 300 })).codeText);
  assert.ok(outcome.kind === "accepted", codeOf(outcome));
  assert.equal(outcome.acceptance.acceptedAt, NOW + 200);
});

test("what is no genuine open payment is refused", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const forged = await payer.payOpen(500n, {}, generateNodeSigner());
  const cases = [
    ["HELLO", "CODE_PREFIX_UNKNOWN"],
    [forged.codeText.replace("CAIRN:1O", "CAIRN:1P"), "CODE_TYPE_UNEXPECTED"],
    [forged.codeText, "SIGNATURE_INVALID"],
  ] as const;
  for (const [codeText, code] of cases) assert.equal(codeOf(await terminal.acceptOpen(codeText)), code);
});

test("without an amount it stays uncaptured: no receipt, nothing to upload, told as such", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const outcome = await terminal.acceptOpen((await payer.payOpen(500n)).codeText);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.receiptCode, undefined);
  await assert.rejects(terminal.receiptCode(outcome.acceptance.paymentId), { code: "NOT_CAPTURED" });
  assert.deepEqual((await terminal.buildUpload({ limit: 9 })).records, []);
  assert.deepEqual((await terminal.totals({})).byState, [{ state: "uncaptured", count: 1, totalMinor: 500n }]);
  assert.deepEqual((await terminal.standing()).stored, { count: 1, totalMinor: 500n });
});

test("a flat fare is captured by policy, and never more than the payer allowed", async () => {
  const { terminal } = await makeTerminal(issuer, { policy: { defaultCaptureMinor: 210n } });
  const payer = await makePayer(issuer);
  const outcome = await terminal.acceptOpen((await payer.payOpen(500n)).codeText);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.acceptance.takenMinor, 210n);
  assert.equal(codeOf(await terminal.acceptOpen((await payer.payOpen(200n)).codeText)), "CAPTURE_OVER_MAXIMUM");
  const told = await terminal.acceptOpen((await payer.payOpen(500n)).codeText, { captureMinor: 50n });
  assert.ok(told.kind === "accepted" && told.acceptance.takenMinor === 50n);
});

test("the same open payment is accepted once, also on a terminal opened anew", async () => {
  const { terminal, clock, again } = await makeTerminal(issuer);
  const { codeText } = await (await makePayer(issuer)).payOpen(500n);
  const first = await terminal.acceptOpen(codeText, { captureMinor: 100n });
  assert.ok(first.kind === "accepted");
  clock.at = NOW + 5_000;
  const second = await again().acceptOpen(codeText, { captureMinor: 200n });
  assert.ok(second.kind === "refused" && second.refusal.code === "PAYMENT_REPLAYED");
  assert.deepEqual(second.earlier, first.acceptance);
});

type Refusing = readonly [
  code: string,
  run: () => Promise<{ terminal: Terminal; codeText: string; captureMinor?: bigint }>,
];

async function offer(
  changes: Parameters<Payer["payOpen"]>[1] = {},
  certificate: Parameters<typeof makePayer>[1] = {},
  terminalChanges: Parameters<typeof makeTerminal>[1] = {},
) {
  const payer = await makePayer(issuer, certificate);
  const { codeText } = await payer.payOpen(500n, changes);
  return { ...(await makeTerminal(issuer, terminalChanges)), codeText, payer };
}

/** In the order of precedence where they can be told apart. */
const REFUSALS: Refusing[] = [
  ["CERTIFICATE_REVOKED", () => offer({}, {}, { revoked: [7] })],
  [
    "STATUS_LIST_STALE",
    async () => {
      const world = await offer({ expiresAt: NOW + 301 });
      await replaceStatusList(world, await issuer.signStatusList({ issuedAt: NOW - DAY - 1 }));
      return world;
    },
  ],
  [
    "PAYEE_CERTIFICATE_EXPIRED",
    async () => {
      const world = await offer({}, { terms: { currency: currency("USD") } }, { payee: { expiresAt: NOW + 10 } });
      world.clock.at = NOW + 11;
      return world;
    },
  ],
  ["CERTIFICATE_NOT_YET_VALID", () => offer({ issuedAt: NOW - DAY - 301, expiresAt: NOW - DAY - 250 })],
  ["CERTIFICATE_EXPIRED", () => offer({ amountMinor: 0n }, { expiresAt: NOW - 1 })],
  ["CURRENCY_MISMATCH", () => offer({ audience: "OTHER" as PayeeId }, { terms: { currency: currency("USD") } })],
  ["AUDIENCE_MISMATCH", () => offer({ audience: "OTHER" as PayeeId, expiresAt: NOW + 301 })],
  ["PAYMENT_VALIDITY_TOO_LONG", () => offer({ issuedAt: NOW + 61, expiresAt: NOW + 362 })],
  ["PAYMENT_NOT_YET_VALID", () => offer({ issuedAt: NOW + 61, expiresAt: NOW + 62, amountMinor: 0n })],
  ["PAYMENT_EXPIRED", () => offer({ issuedAt: NOW - 100, expiresAt: NOW - 61, spentMinor: 1n })],
  ["AMOUNT_ZERO", () => offer({ amountMinor: 0n })],
  ["AMOUNT_OVER_CERTIFICATE_CAP", () => offer({ spentMinor: 20_000n }, { terms: { perPaymentCapMinor: 499n } })],
  ["SPENT_INCONSISTENT", () => offer({ spentMinor: 499n })],
  ["LIMIT_EXCEEDED", async () => ({ ...(await offer({ spentMinor: 10_001n })), captureMinor: 501n })],
  ["CAPTURE_OVER_MAXIMUM", async () => ({ ...(await offer()), captureMinor: 501n })],
  ["AMOUNT_ZERO", async () => ({ ...(await offer()), captureMinor: 0n })],
  [
    "AMOUNT_OVER_PAYEE_CAP",
    async () => {
      const world = await offer({}, {}, { payee: { terms: { perPaymentCapMinor: 400n, storedTotalCapMinor: 0n } } });
      return { ...world, captureMinor: 401n };
    },
  ],
  [
    "SEQUENCE_CONFLICT",
    async () => {
      const world = await offer({}, {}, { payee: { terms: { storedTotalCapMinor: 600n } } });
      assert.equal((await world.terminal.acceptOpen(world.codeText)).kind, "accepted");
      // Room for what was captured is not enough: the maximum counts.
      const { codeText } = await world.payer.payOpen(500n, { spentMinor: 999n });
      return { terminal: world.terminal, codeText };
    },
  ],
  ["STORED_TOTAL_REACHED", () => offer({}, {}, { payee: { terms: { storedTotalCapMinor: 499n } } })],
];

for (const [code, run] of REFUSALS) {
  test(`refuses a genuine open payment: ${code}`, async () => {
    const { terminal, codeText, captureMinor } = await run();
    const before = await terminal.totals({});
    const options = captureMinor === undefined ? {} : { captureMinor };
    assert.equal(codeOf(await terminal.acceptOpen(codeText, options)), code);
    assert.deepEqual(await terminal.totals({}), before, "nothing is accepted");
    const [newest] = await terminal.history({ limit: 1 });
    assert.ok(newest?.kind === "refused" && newest.refused.code === code, "kept as evidence");
  });
}

test("a two-way payment is no open payment", async () => {
  const world = await offer();
  assert.equal(codeOf(await world.terminal.accept(world.codeText)), "CODE_TYPE_UNEXPECTED");
});

test("two-way and open payments of one certificate share one chain in the journal", async () => {
  const world = await offer();
  assert.equal((await world.terminal.acceptOpen(world.codeText, { captureMinor: 1n })).kind, "accepted");
  const asked = await world.terminal.charge({ amount: { currency: currency("EUR"), minor: 100n } });
  assert.ok(asked.kind === "requested");
  const { codeText } = await world.payer.pay(asked.codeText, { sequence: 1, spentMinor: 100n });
  assert.equal(codeOf(await world.terminal.accept(codeText)), "SEQUENCE_CONFLICT");
});

test("what is captured, however late, passes the server's own check", async () => {
  const { terminal, clock, enrolment, codeText } = await offer({ issuedAt: NOW - 30, expiresAt: NOW });
  clock.at = NOW + 60;
  const outcome = await terminal.acceptOpen(codeText);
  assert.ok(outcome.kind === "accepted");
  clock.at = NOW + 10 * DAY;
  assert.equal((await terminal.capture(outcome.acceptance.paymentId, 499n)).kind, "captured");
  const { records } = await terminal.buildUpload({ limit: 1 });

  const record = readUploadRecord(records[0] ?? new Uint8Array());
  assert.ok(record.kind === "open-payment");
  assert.deepEqual(record.payeeCertificate, enrolment.payeeCertificate);
  const payment = restoreVerified(openPayment, record.payment, crypto);
  const captured: Capture = restoreVerified(capture, record.capture, crypto).content;
  const input: CapturedPayment = {
    certificate: restoreVerified(userCertificate, record.certificate, crypto).content,
    payment: payment.content,
    paymentId: payment.messageId,
    payeeCertificate: restoreVerified(payeeCertificate, record.payeeCertificate, crypto).content,
    capture: captured,
  };
  assert.equal(refuseCapturedPayment(input), undefined);
  assert.equal(captured.issuedAt, NOW + 60);
});
