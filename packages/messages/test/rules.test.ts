import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  areCompatible,
  type CapturedPayment,
  type ChainPosition,
  currency,
  follows,
  isBeyondClosing,
  type MessageId,
  type PayeeId,
  type RefusalCode,
  refuseCapturedPayment,
  refuseRequest,
  refuseTwoWayPayment,
  type TwoWayPayment,
} from "@cairn/messages";
import fc from "fast-check";
import { type TypicalMessages, typicalMessages } from "../../../bench/typical.ts";

/** A change to one part of a good case, and the code that it must give. In the order of precedence. */
type Break<Input> = readonly [RefusalCode, (good: Input) => Input];

let typical: TypicalMessages;
let twoWay: TwoWayPayment;
let captured: CapturedPayment;
const DAY_SECONDS = 86_400;
const USD = currency("USD");

before(async () => {
  typical = await typicalMessages();
  const { certificate, payeeCertificate, request, payment } = typical;
  twoWay = {
    certificate: certificate.content,
    payment: payment.content,
    payeeCertificate: payeeCertificate.content,
    request: request.content,
    requestId: request.messageId,
  };
  const { requestHash: _, ...link } = payment.content;
  captured = {
    certificate: certificate.content,
    payment: { ...link, expiresAt: link.issuedAt + 60 },
    paymentId: payment.messageId,
    payeeCertificate: payeeCertificate.content,
    capture: {
      payeeCertificateId: payeeCertificate.content.payeeCertificateId,
      paymentId: payment.messageId,
      amountMinor: 240n,
      issuedAt: link.issuedAt + 10,
    },
  };
});

const withRequest = (good: TwoWayPayment, change: Partial<TwoWayPayment["request"]>): TwoWayPayment => ({
  ...good,
  request: { ...good.request, ...change },
});
const withPayment = (good: TwoWayPayment, change: Partial<TwoWayPayment["payment"]>): TwoWayPayment => ({
  ...good,
  payment: { ...good.payment, ...change },
});
const withPayee = (good: TwoWayPayment, change: Partial<TwoWayPayment["payeeCertificate"]>): TwoWayPayment => ({
  ...good,
  payeeCertificate: { ...good.payeeCertificate, ...change },
});
const withTerms = (good: TwoWayPayment, change: Partial<TwoWayPayment["certificate"]["terms"]>): TwoWayPayment => ({
  ...good,
  certificate: { ...good.certificate, terms: { ...good.certificate.terms, ...change } },
});

const TWO_WAY: readonly Break<TwoWayPayment>[] = [
  ["REQUEST_MISMATCH", (good) => ({ ...good, requestId: "00".repeat(32) as MessageId })],
  ["PAYEE_CERTIFICATE_MISMATCH", (good) => withPayee(good, { payeeCertificateId: "00".repeat(8) as never })],
  ["PAYEE_CERTIFICATE_NOT_YET_VALID", (good) => withPayee(good, { issuedAt: good.request.issuedAt + 301 })],
  ["PAYEE_CERTIFICATE_EXPIRED", (good) => withPayee(good, { expiresAt: good.request.issuedAt - 1 })],
  ["CURRENCY_MISMATCH", (good) => withRequest(good, { currency: USD })],
  ["AMOUNT_ZERO", (good) => withRequest(good, { amountMinor: 0n })],
  ["AMOUNT_OVER_PAYEE_CAP", (good) => withRequest(good, { amountMinor: 10_001n })],
  ["REQUEST_VALIDITY_TOO_LONG", (good) => withRequest(good, { expiresAt: good.request.issuedAt + 3_601 })],
  [
    "CERTIFICATE_NOT_YET_VALID",
    (good) => ({ ...good, certificate: { ...good.certificate, issuedAt: good.request.issuedAt + 301 } }),
  ],
  [
    "CERTIFICATE_EXPIRED",
    (good) => ({ ...good, certificate: { ...good.certificate, expiresAt: good.request.issuedAt - 1 } }),
  ],
  ["CERTIFICATE_EXPIRED", (good) => withPayment(good, { issuedAt: good.certificate.expiresAt + 1 })],
  ["CURRENCY_MISMATCH", (good) => withTerms(good, { currency: USD })],
  ["AMOUNT_MISMATCH", (good) => withPayment(good, { amountMinor: 1_336n })],
  ["PAYMENT_CLOCK_DIFFERS", (good) => withPayment(good, { issuedAt: good.request.issuedAt + DAY_SECONDS + 1 })],
  ["CERTIFICATE_MISMATCH", (good) => withPayment(good, { certificateId: "00".repeat(16) as never })],
  ["AMOUNT_OVER_CERTIFICATE_CAP", (good) => withTerms(good, { perPaymentCapMinor: 1_000n })],
  ["SPENT_INCONSISTENT", (good) => withPayment(good, { spentMinor: 1_336n })],
  ["SPENT_INCONSISTENT", (good) => withPayment(good, { sequence: 0 })],
  ["LIMIT_EXCEEDED", (good) => withPayment(good, { spentMinor: 20_001n })],
];

test("a good payment is not refused, and each broken rule gives its code", () => {
  assert.equal(refuseTwoWayPayment(twoWay), undefined);
  for (const [code, change] of TWO_WAY) assert.equal(refuseTwoWayPayment(change(twoWay))?.code, code);
});

/** Breaks two rules at a time. The earlier one is broken last, so that it stands even where both change one field. */
function assertPrecedence<Input>(
  breaks: readonly Break<Input>[],
  good: Input,
  refuse: (input: Input) => { readonly code: string } | undefined,
): void {
  breaks.forEach(([code, first], index) => {
    for (const [other, second] of breaks.slice(index + 1))
      assert.equal(refuse(first(second(good)))?.code, code, `${code} comes before ${other}`);
  });
}

test("of two broken rules the one that comes first in the specification is named", () => {
  assertPrecedence(TWO_WAY, twoWay, refuseTwoWayPayment);
});

test("a sequence of zero is refused, and the limit itself may be spent", () => {
  assert.equal(refuseTwoWayPayment(withPayment(twoWay, { sequence: 0 }))?.code, "SPENT_INCONSISTENT");
  assert.equal(refuseTwoWayPayment(withPayment(twoWay, { spentMinor: 20_000n })), undefined);
});

test("a request is refused before its time and after its end by the checker's clock", () => {
  const { payeeCertificate, request } = twoWay;
  assert.equal(refuseRequest({ payeeCertificate, request }, request.issuedAt - 300), undefined);
  assert.equal(refuseRequest({ payeeCertificate, request }, request.issuedAt - 301)?.code, "REQUEST_NOT_YET_VALID");
  assert.equal(refuseRequest({ payeeCertificate, request }, request.expiresAt), undefined);
  assert.equal(refuseRequest({ payeeCertificate, request }, request.expiresAt + 1)?.code, "REQUEST_EXPIRED");
});

const withOpen = (good: CapturedPayment, change: Partial<CapturedPayment["payment"]>): CapturedPayment => ({
  ...good,
  payment: { ...good.payment, ...change },
});
const withCapture = (good: CapturedPayment, change: Partial<CapturedPayment["capture"]>): CapturedPayment => ({
  ...good,
  capture: { ...good.capture, ...change },
});

const withCertificate = (
  good: CapturedPayment,
  {
    terms,
    ...change
  }: Partial<Omit<CapturedPayment["certificate"], "terms">> & {
    terms?: Partial<CapturedPayment["certificate"]["terms"]>;
  },
): CapturedPayment => ({
  ...good,
  certificate: { ...good.certificate, ...change, terms: { ...good.certificate.terms, ...terms } },
});
const withTaker = (good: CapturedPayment, change: Partial<CapturedPayment["payeeCertificate"]>): CapturedPayment => ({
  ...good,
  payeeCertificate: { ...good.payeeCertificate, ...change },
});
const withTakerCap = (good: CapturedPayment, perPaymentCapMinor: bigint): CapturedPayment =>
  withTaker(good, { terms: { ...good.payeeCertificate.terms, perPaymentCapMinor } });

const CAPTURED: readonly Break<CapturedPayment>[] = [
  ["CAPTURE_MISMATCH", (good) => ({ ...good, paymentId: "00".repeat(32) as MessageId })],
  ["PAYEE_CERTIFICATE_MISMATCH", (good) => withCapture(good, { payeeCertificateId: "00".repeat(8) as never })],
  ["PAYEE_CERTIFICATE_NOT_YET_VALID", (good) => withTaker(good, { issuedAt: good.capture.issuedAt + 301 })],
  ["PAYEE_CERTIFICATE_EXPIRED", (good) => withTaker(good, { expiresAt: good.capture.issuedAt - 1 })],
  ["CERTIFICATE_NOT_YET_VALID", (good) => withCertificate(good, { issuedAt: good.capture.issuedAt + 301 })],
  ["CERTIFICATE_EXPIRED", (good) => withCertificate(good, { expiresAt: good.capture.issuedAt - 1 })],
  ["CERTIFICATE_EXPIRED", (good) => withOpen(good, { issuedAt: good.certificate.expiresAt + 1 })],
  ["CURRENCY_MISMATCH", (good) => withCertificate(good, { terms: { currency: USD } })],
  ["AUDIENCE_MISMATCH", (good) => withOpen(good, { audience: "SOMEBODY-ELSE" as PayeeId })],
  ["PAYMENT_VALIDITY_TOO_LONG", (good) => withOpen(good, { expiresAt: good.payment.issuedAt + 301 })],
  ["PAYMENT_NOT_YET_VALID", (good) => withCapture(good, { issuedAt: good.payment.issuedAt - 61 })],
  ["PAYMENT_EXPIRED", (good) => withCapture(good, { issuedAt: good.payment.expiresAt + 61 })],
  ["CERTIFICATE_MISMATCH", (good) => withOpen(good, { certificateId: "00".repeat(16) as never })],
  ["AMOUNT_ZERO", (good) => withOpen(good, { amountMinor: 0n })],
  ["AMOUNT_OVER_CERTIFICATE_CAP", (good) => withOpen(good, { amountMinor: 5_001n })],
  ["SPENT_INCONSISTENT", (good) => withOpen(good, { spentMinor: good.payment.amountMinor - 1n })],
  ["SPENT_INCONSISTENT", (good) => withOpen(good, { sequence: 0 })],
  ["LIMIT_EXCEEDED", (good) => withOpen(good, { spentMinor: 20_001n })],
  ["CAPTURE_OVER_MAXIMUM", (good) => withCapture(good, { amountMinor: good.payment.amountMinor + 1n })],
  ["AMOUNT_OVER_PAYEE_CAP", (good) => withTakerCap(good, good.capture.amountMinor - 1n)],
];

test("a good capture is not refused, each broken rule gives its code, the first one of two", () => {
  assert.equal(refuseCapturedPayment(captured), undefined);
  assert.equal(refuseCapturedPayment(withOpen(captured, { audience: captured.payeeCertificate.payeeId })), undefined);
  for (const [code, change] of CAPTURED) assert.equal(refuseCapturedPayment(change(captured))?.code, code);
  assertPrecedence(CAPTURED, captured, refuseCapturedPayment);
});

test("what lies exactly on a bound is accepted", () => {
  const { request, payment, certificate } = twoWay;
  for (const edge of [
    withPayee(twoWay, { issuedAt: request.issuedAt + 300 }),
    withPayee(twoWay, { expiresAt: request.issuedAt }),
    withPayee(twoWay, { terms: { ...twoWay.payeeCertificate.terms, perPaymentCapMinor: request.amountMinor } }),
    withRequest(twoWay, { expiresAt: request.issuedAt + 3_600 }),
    { ...twoWay, certificate: { ...certificate, issuedAt: request.issuedAt + 300 } },
    { ...twoWay, certificate: { ...certificate, expiresAt: payment.issuedAt } },
    withPayment(twoWay, { issuedAt: request.issuedAt + DAY_SECONDS }),
    withTerms(twoWay, { perPaymentCapMinor: payment.amountMinor }),
    withPayment(twoWay, { spentMinor: payment.amountMinor }),
  ])
    assert.equal(refuseTwoWayPayment(edge), undefined);
  const early = { ...certificate, issuedAt: request.issuedAt - 2 * DAY_SECONDS };
  const behind = withPayment({ ...twoWay, certificate: early }, { issuedAt: request.issuedAt - DAY_SECONDS });
  assert.equal(refuseTwoWayPayment(behind), undefined);
  const furtherBehind = withPayment(behind, { issuedAt: behind.payment.issuedAt - 1 });
  assert.equal(refuseTwoWayPayment(furtherBehind)?.code, "PAYMENT_CLOCK_DIFFERS");
  const open = captured.payment;
  for (const edge of [
    withOpen(captured, { expiresAt: open.issuedAt + 300 }),
    withCapture(captured, { issuedAt: open.issuedAt - 60 }),
    withCapture(captured, { issuedAt: open.expiresAt + 60 }),
    withCapture(captured, { amountMinor: open.amountMinor }),
    withCapture(captured, { amountMinor: 0n }),
    withTakerCap(captured, captured.capture.amountMinor),
  ])
    assert.equal(refuseCapturedPayment(edge), undefined);
});

const position = fc
  .record({ sequence: fc.integer({ min: 1, max: 6 }), amountMinor: fc.bigInt(1n, 5n), spentMinor: fc.bigInt(1n, 12n) })
  .filter(({ amountMinor, spentMinor }) => amountMinor <= spentMinor);

test("pairwise compatible payments never add up to more than the highest running total", () => {
  fc.assert(
    fc.property(fc.array(position, { maxLength: 7 }), (offered) => {
      const kept: ChainPosition[] = [];
      for (const each of offered) if (kept.every((other) => areCompatible(each, other))) kept.push(each);
      const sum = kept.reduce((total, { amountMinor }) => total + amountMinor, 0n);
      const highest = kept.reduce((most, { spentMinor }) => (spentMinor > most ? spentMinor : most), 0n);
      assert.ok(sum <= highest);
    }),
    { numRuns: 2_000 },
  );
});

test("payments that one counter made are always compatible, whichever of them are known", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(1n, 9n), { maxLength: 12 }), (amounts) => {
      let spentMinor = 0n;
      const chain = amounts.map((amountMinor, index) => {
        spentMinor += amountMinor;
        return { sequence: index + 1, amountMinor, spentMinor };
      });
      for (const left of chain) for (const right of chain) if (left !== right) assert.ok(areCompatible(left, right));
    }),
  );
});

test("two payments of one sequence number contradict each other, whatever their totals", () => {
  const first = { sequence: 3, amountMinor: 2n, spentMinor: 5n };
  const other = { sequence: 3, amountMinor: 2n, spentMinor: 7n };
  assert.ok(!areCompatible(first, other) && !areCompatible(other, first));
  assert.ok(areCompatible(first, { ...other, sequence: 4 }));
});

test("spreading sequence numbers does not hide overspending, and a closing is the last word", () => {
  const first = { sequence: 1, amountMinor: 8n, spentMinor: 8n };
  const forged = { sequence: 9, amountMinor: 8n, spentMinor: 10n };
  assert.ok(!follows(first, forged) && !areCompatible(first, forged));
  assert.ok(isBeyondClosing(forged, { sequence: 8, spentMinor: 20n }));
  assert.ok(isBeyondClosing(forged, { sequence: 9, spentMinor: 9n }));
  assert.ok(!isBeyondClosing(first, { sequence: 1, spentMinor: 8n }));
});

test("a second request with the same shortened hash moves neither more money nor other money", () => {
  // The hash that a payment carries is the first 16 bytes of the request's id.
  const colliding = `${twoWay.requestId.slice(0, 32)}${"0".repeat(32)}` as MessageId;
  assert.notEqual(colliding, twoWay.requestId);
  assert.equal(refuseTwoWayPayment({ ...twoWay, requestId: colliding }), undefined);
  const swapped = (change: Partial<TwoWayPayment["request"]>): RefusalCode | undefined =>
    refuseTwoWayPayment({ ...withRequest(twoWay, change), requestId: colliding })?.code as RefusalCode | undefined;
  assert.equal(swapped({ amountMinor: twoWay.request.amountMinor + 1n }), "AMOUNT_MISMATCH");
  assert.equal(swapped({ currency: USD }), "CURRENCY_MISMATCH");
});
