import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AcceptanceTerms,
  type AcceptanceView,
  DEFAULT_COLLECT_POLICY,
  decideAcceptance,
  type Offered,
} from "@cairn/collect";
import { type Payment, payeeCertificate, restoreVerified, statusList, type Verified } from "@cairn/messages";
import { chargeFor, codeOf, crypto, DAY, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

type Input = {
  readonly offered: Offered<Payment>;
  readonly view: AcceptanceView;
  readonly terms: AcceptanceTerms;
};

/** One way of going wrong: what it does to sound input, and what it must be called. In the order of precedence. */
type Fault = { readonly code: string; readonly apply: (input: Input) => Input };

const withPayment = (input: Input, changes: Partial<Payment>): Input => {
  const { payment } = input.offered;
  const changed: Verified<Payment> = { ...payment, content: { ...payment.content, ...changes } };
  return { ...input, offered: { ...input.offered, payment: changed } };
};
const withView = (input: Input, changes: Partial<AcceptanceView>): Input => ({
  ...input,
  view: { ...input.view, ...changes },
});
const withRequest = (input: Input, changes: Partial<NonNullable<AcceptanceView["request"]>>): Input =>
  input.view.request === undefined ? input : withView(input, { request: { ...input.view.request, ...changes } });

async function soundInput() {
  const issuer = makeIssuer();
  const { terminal, journal, enrolment } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  const { codeText, signed: payment } = await payer.pay(asked.codeText);
  const outcome = await terminal.accept(codeText);
  assert.ok(outcome.kind === "accepted");
  const request = await journal.request(asked.requestId);
  assert.ok(request !== undefined);
  const input: Input = {
    offered: { certificate: payer.certificate, payment, guestIssuerId: undefined },
    view: {
      earlier: undefined,
      request: { ...request, paidBy: undefined },
      newest: undefined,
      acceptedOfCertificateMinor: 0n,
      stored: { count: 0, totalMinor: 0n },
      refused: { isKept: false, kept: 0, keptOfCertificate: 0 },
    },
    terms: {
      setup: {
        statusList: restoreVerified(statusList, enrolment.statusList, crypto),
        payeeCertificate: restoreVerified(payeeCertificate, enrolment.payeeCertificate, crypto),
      },
      policy: DEFAULT_COLLECT_POLICY,
      now: NOW,
    },
  };
  const withList = (of: Input, bits: { issuedAt?: number; bits?: Uint8Array }): Input => {
    const { setup } = of.terms;
    const list = { ...setup.statusList, content: { ...setup.statusList.content, ...bits } };
    return { ...of, terms: { ...of.terms, setup: { ...setup, statusList: list } } };
  };
  const { acceptance } = outcome;
  const faults: Fault[] = [
    { code: "PAYMENT_REPLAYED", apply: (of) => withView(of, { earlier: acceptance }) },
    { code: "CERTIFICATE_REVOKED", apply: (of) => withList(of, { bits: Uint8Array.of(255) }) },
    { code: "STATUS_LIST_STALE", apply: (of) => withList(of, { issuedAt: NOW - DAY - 1 }) },
    { code: "REQUEST_UNKNOWN", apply: (of) => withView(of, { request: undefined }) },
    { code: "REQUEST_VOIDED", apply: (of) => withRequest(of, { voidedAt: NOW }) },
    { code: "REQUEST_EXPIRED", apply: (of) => ({ ...of, terms: { ...of.terms, now: NOW + 301 } }) },
    { code: "REQUEST_ALREADY_PAID", apply: (of) => withRequest(of, { paidBy: acceptance.paymentId }) },
    { code: "CERTIFICATE_EXPIRED", apply: (of) => withPayment(of, { issuedAt: NOW + 2 * DAY }) },
    { code: "AMOUNT_MISMATCH", apply: (of) => withPayment(of, { amountMinor: 4_000n }) },
    { code: "LIMIT_EXCEEDED", apply: (of) => withPayment(of, { spentMinor: 10_001n }) },
    {
      code: "SEQUENCE_CONFLICT",
      apply: (of) => withView(of, { newest: { sequence: 1, spentMinor: 100n, amountMinor: 100n } }),
    },
    { code: "STORED_TOTAL_REACHED", apply: (of) => withView(of, { stored: { count: 1, totalMinor: 19_901n } }) },
  ];
  return { input, faults };
}

const decide = ({ offered, view, terms }: Input) => decideAcceptance(offered, view, { ...terms, crypto });

test("accepts sound input and writes exactly what it answers", async () => {
  const { input } = await soundInput();
  const { result, write } = decide(input);
  assert.ok(result.kind === "accepted");
  assert.ok(write?.kind === "accept");
  assert.deepEqual(write.acceptance, result.acceptance);
  assert.equal(write.acceptance.kind, "payment");
  assert.equal(write.issuerTime, input.offered.certificate.content.issuedAt);
});

test("every fault alone has its code, and of any two the one with precedence is told", async () => {
  const { input, faults } = await soundInput();
  for (const [index, first] of faults.entries()) {
    assert.equal(codeOf(decide(first.apply(input)).result), first.code);
    for (const second of faults.slice(index + 1)) {
      const both = [second.apply(first.apply(input)), first.apply(second.apply(input))];
      for (const of of both) assert.equal(codeOf(decide(of).result), first.code, `before ${second.code}`);
    }
  }
});

test("all faults but a replay leave the payment as evidence; a replay leaves nothing", async () => {
  const { input, faults } = await soundInput();
  for (const { code, apply } of faults) {
    const { write } = decide(apply(input));
    if (code === "PAYMENT_REPLAYED") assert.equal(write, undefined);
    else assert.equal(write?.kind, "keep-refused");
  }
});

test("the bounds of what is kept are exact", async () => {
  const { input, faults } = await soundInput();
  const fault = faults[3];
  assert.ok(fault !== undefined);
  const kindFor = (refused: AcceptanceView["refused"]) => decide(withView(fault.apply(input), { refused })).write?.kind;
  assert.equal(kindFor({ isKept: false, kept: 999, keptOfCertificate: 15 }), "keep-refused");
  assert.equal(kindFor({ isKept: false, kept: 1_000, keptOfCertificate: 0 }), "count-refused");
  assert.equal(kindFor({ isKept: false, kept: 16, keptOfCertificate: 16 }), "count-refused");
  assert.equal(kindFor({ isKept: true, kept: 1_000, keptOfCertificate: 16 }), "time-only");
});

test("boundaries: the last second of a request, the last unit of room", async () => {
  const { input } = await soundInput();
  assert.equal(codeOf(decide({ ...input, terms: { ...input.terms, now: NOW + 300 } }).result), "accepted");
  assert.equal(codeOf(decide(withView(input, { stored: { count: 1, totalMinor: 19_900n } })).result), "accepted");
  const newest = { sequence: 0, spentMinor: 0n, amountMinor: 0n };
  assert.equal(codeOf(decide(withView(input, { newest })).result), "accepted");
});
