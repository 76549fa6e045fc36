import assert from "node:assert/strict";
import { test } from "node:test";
import { type CertificateId, currency, type MessageId } from "@cairn/messages";
import {
  refuseWrite,
  type StoredCertificate,
  type StoredIdentity,
  type StoredPayment,
  type WalletWrite,
  type WriteFacts,
} from "@cairn/pay";

/** The last line before the disk, rule by rule. Which store runs it: packages/stores/test/wallet-store.suite.ts. */
const certificateId = "c".repeat(32) as CertificateId;
const paymentId = "a".repeat(64) as MessageId;
const requestId = "b".repeat(64) as MessageId;
const bytes = Uint8Array.of(1);

/** 40 of 100 minor units are spent, by two payments. */
const CERTIFICATE: StoredCertificate = {
  certificateId,
  bytes,
  limitMinor: 100n,
  revoked: false,
  counter: { sequence: 2, spentMinor: 40n, lastPaymentId: "d".repeat(64) as MessageId, unsignedPayments: 0 },
  closing: undefined,
};
const CLOSING = { draft: bytes, signed: undefined, delivered: false };
const PAYMENT: StoredPayment = {
  paymentId,
  kind: "payment",
  certificateId,
  sequence: 3,
  amountMinor: 60n,
  spentMinor: 100n,
  preparedAt: 1_000,
  requestId,
  draft: bytes,
  signed: undefined,
  shown: false,
  request: bytes,
  payeeCertificate: bytes,
  receipt: undefined,
  requestVoid: undefined,
  outcome: undefined,
};
const IDENTITY: StoredIdentity = {
  deviceKey: bytes,
  rootKey: bytes,
  issuerId: "bank",
  issuerName: "Bank",
  currency: currency("EUR"),
  trustList: bytes,
  statusList: bytes,
  newestSeen: 0,
};

type Known = {
  readonly enrolled?: boolean;
  readonly certificate?: Partial<StoredCertificate>;
  readonly payment?: Partial<StoredPayment>;
  readonly paidRequest?: MessageId;
};
const facts = ({ enrolled = true, certificate, payment, paidRequest }: Known): WriteFacts => ({
  isEnrolled: () => enrolled,
  certificate: (id) =>
    certificate === undefined || id !== certificateId ? undefined : { ...CERTIFICATE, ...certificate },
  payment: (id) => (payment === undefined || id !== paymentId ? undefined : { ...PAYMENT, ...payment }),
  hasPaymentOfRequest: (id) => id === paidRequest,
});

/** Why the write is refused; undefined when it is not. */
function whyNot(write: WalletWrite, known: Known): string | undefined {
  try {
    refuseWrite(write, facts(known));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error);
    assert.equal(error.code, "WALLET_WRITE_REFUSED");
    const [, why] = /^The wallet's store refuses this change: (.+)\.$/.exec(error.message) ?? [];
    assert.ok(why !== undefined, error.message);
    return why;
  }
}
const link = (changes: Partial<StoredPayment> = {}): WalletWrite => ({
  kind: "payment",
  payment: { ...PAYMENT, ...changes },
});

test("a chain grows by exactly one link, within its limit, never after its closing", () => {
  const open = { certificate: {} };
  assert.equal(whyNot(link(), open), undefined, "to the last minor unit of the limit");
  assert.equal(whyNot(link({ requestId: undefined }), { ...open, paidRequest: requestId }), undefined);
  const refused: readonly (readonly [WalletWrite, Known, string])[] = [
    [link(), {}, "the certificate is unknown"],
    [link(), { certificate: { closing: CLOSING } }, "the certificate is closed"],
    [link({ sequence: 2 }), open, "the sequence number is not the next one"],
    [link({ sequence: 4 }), open, "the sequence number is not the next one"],
    [link({ amountMinor: 0n, spentMinor: 40n }), open, "the amount is not above zero"],
    [link({ amountMinor: -1n, spentMinor: 39n }), open, "the amount is not above zero"],
    [link({ spentMinor: 99n }), open, "the running total does not add up"],
    [link({ spentMinor: 101n }), open, "the running total does not add up"],
    [link({ amountMinor: 61n, spentMinor: 101n }), open, "the limit is exceeded"],
    [link(), { ...open, payment: {} }, "the payment is there already"],
    [link({ signed: bytes }), open, "a payment is durable before it is signed"],
    [link({ shown: true }), open, "a payment is durable before it is signed"],
    [link(), { ...open, paidRequest: requestId }, "the request is paid already"],
  ];
  for (const [write, known, why] of refused) assert.equal(whyNot(write, known), why);
});

test("a certificate is closed once, and not while a payment waits for its signature", () => {
  const closing: WalletWrite = { kind: "closing", certificateId, draft: bytes };
  const { counter } = CERTIFICATE;
  assert.equal(whyNot(closing, { certificate: {} }), undefined);
  assert.equal(whyNot(closing, {}), "the certificate is unknown");
  assert.equal(whyNot(closing, { certificate: { closing: CLOSING } }), "the certificate is closed already");
  const waiting = { counter: { ...counter, unsignedPayments: 1 } };
  assert.equal(whyNot(closing, { certificate: waiting }), "a payment is not signed yet");
  const signature: WalletWrite = { kind: "closing-signature", certificateId, signed: bytes };
  assert.equal(whyNot(signature, { certificate: { closing: CLOSING } }), undefined);
  for (const known of [{ certificate: {} }, {}])
    assert.equal(whyNot(signature, known), "the certificate is not closed");
});

test("nothing is written about what the wallet does not hold", () => {
  const identity: WalletWrite = { kind: "identity", identity: IDENTITY };
  assert.equal(whyNot(identity, { enrolled: false }), undefined);
  assert.equal(whyNot(identity, {}), "the wallet is enrolled already");
  const ofWallet: readonly WalletWrite[] = [
    { kind: "trust-list", bytes },
    { kind: "status-list", bytes },
    { kind: "newest-seen", newestSeen: 1 },
  ];
  for (const write of ofWallet) {
    assert.equal(whyNot(write, {}), undefined);
    assert.equal(whyNot(write, { enrolled: false }), "the wallet is not enrolled");
  }
  assert.equal(whyNot({ kind: "certificate", certificateId, bytes, limitMinor: 1n }, {}), undefined);
  const ofCertificate: readonly WalletWrite[] = [
    { kind: "revoked", certificateId },
    { kind: "closing-delivered", certificateId },
  ];
  for (const write of ofCertificate) {
    assert.equal(whyNot(write, { certificate: {} }), undefined);
    assert.equal(whyNot(write, {}), "the certificate is unknown");
  }
  const outcome = { state: "settled", code: undefined, sentence: "Paid.", takenMinor: 60n, heardAt: 1 } as const;
  const ofPayment: readonly WalletWrite[] = [
    { kind: "signature", paymentId, signed: bytes },
    { kind: "receipt", paymentId, receipt: bytes, payeeCertificate: bytes },
    { kind: "void", paymentId, requestVoid: bytes },
    { kind: "outcome", paymentId, outcome },
  ];
  for (const write of ofPayment) {
    assert.equal(whyNot(write, { payment: {} }), undefined);
    assert.equal(whyNot(write, {}), "the payment is unknown");
  }
  const shown: WalletWrite = { kind: "shown", paymentId };
  assert.equal(whyNot(shown, { payment: { signed: bytes } }), undefined);
  for (const known of [{ payment: {} }, {}]) assert.equal(whyNot(shown, known), "the payment is not signed");
});
