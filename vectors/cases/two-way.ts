import {
  type CertificateId,
  chainHashOf,
  currency,
  type PayeeCertificate,
  type PayeeCertificateId,
  type Payment,
  type PaymentRequest,
  type RequestHash,
  type RequestNonce,
  requestHashOf,
  type TrustList,
  type UserCertificate,
  type Verified,
  writeCode,
} from "@cairn/messages";
import { type Case, hex, type JsonObject } from "../case.ts";
import { offCurveKey, testKey } from "../keys.ts";
import * as world from "../world.ts";
import { chainHash, DAY, id, NOW } from "../world.ts";

/** All that a two-way payment rests on. What is not named is as on an ordinary day; each refers to the others. */
export type TwoWay = {
  readonly trustList: Verified<TrustList>;
  readonly payee: Verified<PayeeCertificate>;
  readonly request: Verified<PaymentRequest>;
  readonly certificate: Verified<UserCertificate>;
  readonly payment: Verified<Payment>;
};
export type TwoWayChanges = {
  readonly trustList?: Parameters<typeof world.signTrustList>[0];
  readonly payee?: Parameters<typeof world.signPayee>[0];
  readonly request?: Parameters<typeof world.signRequest>[0];
  readonly certificate?: Parameters<typeof world.signUser>[0];
  readonly certificateBy?: Parameters<typeof world.signUser>[1];
  readonly payment?: Parameters<typeof world.signPayment>[0];
  readonly paymentBy?: Parameters<typeof world.signPayment>[1];
};

export async function twoWay(changes: TwoWayChanges = {}): Promise<TwoWay> {
  const payee = await world.signPayee(changes.payee);
  const { payeeCertificateId } = payee.content;
  const request = await world.signRequest({ payeeCertificateId, ...changes.request });
  const certificate = await world.signUser(changes.certificate, changes.certificateBy);
  const { amountMinor } = request.content;
  const payment = await world.signPayment(
    {
      certificateId: certificate.content.certificateId,
      previous: chainHashOf(certificate.messageId),
      requestHash: requestHashOf(request.messageId),
      amountMinor,
      spentMinor: amountMinor,
      ...changes.payment,
    },
    changes.paymentBy,
  );
  return { trustList: await world.signTrustList(changes.trustList), payee, request, certificate, payment };
}

export const codeOf = ({ certificate, payment }: Pick<TwoWay, "certificate" | "payment">): string =>
  writeCode({ type: "payment", certificate: certificate.bytes, message: payment.bytes });

type Fault = readonly [name: string, description: string, code: string, changes: TwoWayChanges];

/** What terminal and issuer refuse alike. Times of request and payment: NOW - 20 and NOW - 5. */
export const SHARED_FAULTS: readonly Fault[] = [
  [
    "issuer-unknown",
    "The certificate's issuer is not trusted.",
    "ISSUER_UNKNOWN",
    { certificate: { issuerKeyId: id(0x99, 4) } },
  ],
  [
    "certificate-forged",
    "Another key signed the certificate in the issuer's name.",
    "SIGNATURE_INVALID",
    { certificateBy: testKey("other-issuer") },
  ],
  [
    "other-certificate",
    "The payment names another certificate.",
    "CERTIFICATE_MISMATCH",
    { payment: { certificateId: id<CertificateId>(0xc2, 16) } },
  ],
  ["payment-forged", "Another device signed the payment.", "SIGNATURE_INVALID", { paymentBy: testKey("other-device") }],
  [
    "device-key-off-curve",
    "No signature holds under a key that is no point of the curve.",
    "SIGNATURE_INVALID",
    { certificate: { deviceKey: offCurveKey() } },
  ],
  [
    "payee-not-yet-valid",
    "The payee's certificate began 301 seconds after the request.",
    "PAYEE_CERTIFICATE_NOT_YET_VALID",
    {
      payee: { issuedAt: NOW - 20 + 301 },
      request: { expiresAt: NOW + 600 },
    },
  ],
  [
    "payee-expired",
    "The payee's certificate expired a second before the request.",
    "PAYEE_CERTIFICATE_EXPIRED",
    { payee: { expiresAt: NOW - 21 } },
  ],
  [
    "request-other-currency",
    "The request is in another currency than the payee's certificate.",
    "CURRENCY_MISMATCH",
    { request: { currency: currency("CHF") } },
  ],
  ["request-zero", "A request for nothing.", "AMOUNT_ZERO", { request: { amountMinor: 0n } }],
  [
    "over-payee-cap",
    "More than the payee may take at once.",
    "AMOUNT_OVER_PAYEE_CAP",
    { payee: { terms: { perPaymentCapMinor: 1_336n } } },
  ],
  [
    "request-too-long",
    "A request that is valid for a second more than an hour.",
    "REQUEST_VALIDITY_TOO_LONG",
    { request: { expiresAt: NOW - 20 + 3_601 } },
  ],
  [
    "certificate-not-yet-valid",
    "The payer's certificate began 301 seconds after the request.",
    "CERTIFICATE_NOT_YET_VALID",
    {
      certificate: { issuedAt: NOW - 20 + 301 },
      payment: { issuedAt: NOW + 281 },
      request: { expiresAt: NOW + 600 },
    },
  ],
  [
    "certificate-expired",
    "The payer's certificate expired a second before the request.",
    "CERTIFICATE_EXPIRED",
    { certificate: { expiresAt: NOW - 21 } },
  ],
  [
    "certificate-expired-at-payment",
    "It expired between request and payment.",
    "CERTIFICATE_EXPIRED",
    { certificate: { expiresAt: NOW - 10 } },
  ],
  [
    "other-currency",
    "The payer's certificate is in another currency.",
    "CURRENCY_MISMATCH",
    { certificate: { terms: { currency: currency("CHF") } } },
  ],
  ["amount-less", "A cent less than was asked for.", "AMOUNT_MISMATCH", { payment: { amountMinor: 1_336n } }],
  [
    "amount-more",
    "A cent more than was asked for.",
    "AMOUNT_MISMATCH",
    { payment: { amountMinor: 1_338n, spentMinor: 1_338n } },
  ],
  [
    "clock-behind",
    "The payer's clock is a day and a second behind the payee's.",
    "PAYMENT_CLOCK_DIFFERS",
    {
      certificate: { issuedAt: NOW - 3 * DAY },
      payment: { issuedAt: NOW - 20 - DAY - 1 },
    },
  ],
  [
    "clock-ahead",
    "The payer's clock is a day and a second ahead.",
    "PAYMENT_CLOCK_DIFFERS",
    { payment: { issuedAt: NOW - 20 + DAY + 1 } },
  ],
  [
    "over-cap",
    "More than the payer may pay at once.",
    "AMOUNT_OVER_CERTIFICATE_CAP",
    { certificate: { terms: { perPaymentCapMinor: 1_336n } } },
  ],
  ["sequence-zero", "Sequence numbers begin with 1.", "SPENT_INCONSISTENT", { payment: { sequence: 0 } }],
  [
    "spent-less-than-amount",
    "A running total below the amount.",
    "SPENT_INCONSISTENT",
    { payment: { spentMinor: 1_336n } },
  ],
  [
    "over-limit",
    "A running total of a cent above the limit.",
    "LIMIT_EXCEEDED",
    { payment: { sequence: 9, spentMinor: 20_001n } },
  ],
];

/** Two faults at once: the one that is looked for first is named. */
export const PRECEDENCE: readonly Fault[] = [
  [
    "precedence-signature",
    "Forged and over the limit.",
    "SIGNATURE_INVALID",
    { payment: { spentMinor: 20_001n }, paymentBy: testKey("other-device") },
  ],
  [
    "precedence-request",
    "The request is too long and the certificate expired.",
    "REQUEST_VALIDITY_TOO_LONG",
    {
      request: { expiresAt: NOW - 20 + 3_601 },
      certificate: { expiresAt: NOW - 21 },
    },
  ],
  [
    "precedence-amount",
    "Another amount than asked for, and over the cap.",
    "AMOUNT_MISMATCH",
    { payment: { amountMinor: 6_000n, spentMinor: 6_000n } },
  ],
  [
    "precedence-cap",
    "Over the cap and over the limit.",
    "AMOUNT_OVER_CERTIFICATE_CAP",
    {
      certificate: { terms: { perPaymentCapMinor: 1_336n } },
      payment: { spentMinor: 20_001n },
    },
  ],
];

/** What conforms although it is at an edge. */
export const CONFORMING: readonly (readonly [name: string, description: string, changes: TwoWayChanges])[] = [
  ["usual", "As on an ordinary day.", {}],
  [
    "whole-limit",
    "The running total reaches the limit, the amount the cap.",
    {
      request: { amountMinor: 5_000n },
      payment: { sequence: 4, spentMinor: 20_000n, previous: chainHash(0x51) },
    },
  ],
  ["one-cent", "The smallest amount.", { request: { amountMinor: 1n } }],
  ["payee-cap", "All that the payee may take at once.", { payee: { terms: { perPaymentCapMinor: 1_337n } } }],
  ["request-hour", "A request that is valid for an hour.", { request: { expiresAt: NOW - 20 + 3_600 } }],
  [
    "payee-skew",
    "The payee's certificate began 300 seconds after the request.",
    { payee: { issuedAt: NOW - 20 + 300 } },
  ],
  [
    "certificate-last-second",
    "The payer's certificate expires at the payment's second.",
    { certificate: { expiresAt: NOW - 5 } },
  ],
  ["clock-day-ahead", "The payer's clock is just a day ahead.", { payment: { issuedAt: NOW - 20 + DAY } }],
  [
    "gap",
    "Sequence 7 without the six before: others may have them.",
    { payment: { sequence: 7, spentMinor: 9_999n, previous: chainHash(0x52) } },
  ],
];

const recordOf = (set: TwoWay): JsonObject => ({
  trustList: hex(set.trustList.bytes),
  certificate: hex(set.certificate.bytes),
  payment: hex(set.payment.bytes),
  payeeCertificate: hex(set.payee.bytes),
  request: hex(set.request.bytes),
});

/** What the issuer makes of a two-way payment's record. */
export async function paymentCases(): Promise<{ valid: Case[]; invalid: Case[] }> {
  const valid: Case[] = [];
  const invalid: Case[] = [];
  for (const [name, description, changes] of CONFORMING) {
    const set = await twoWay(changes);
    const fields = { paymentId: set.payment.messageId, requestId: set.request.messageId };
    valid.push({ name: `payment/${name}`, description, step: "payment", input: recordOf(set), expect: { fields } });
  }
  const own: readonly Fault[] = [
    [
      "other-request",
      "The payment answers another request.",
      "REQUEST_MISMATCH",
      { payment: { requestHash: id<RequestHash>(0x77, 16) } },
    ],
    [
      "other-payee-certificate",
      "The request names another payee certificate.",
      "PAYEE_CERTIFICATE_MISMATCH",
      {
        request: { payeeCertificateId: id<PayeeCertificateId>(0xe2, 8) },
      },
    ],
    [
      "payee-issuer-unknown",
      "The payee certificate's issuer is not trusted.",
      "ISSUER_UNKNOWN",
      { payee: { issuerKeyId: id(0x99, 4) } },
    ],
    [
      "issuer-key-use",
      "The issuer's key is for payee certificates alone.",
      "ISSUER_KEY_NOT_ALLOWED",
      { trustList: { keys: [world.trustedKey("issuer", { uses: 6 })] } },
    ],
    [
      "issuer-key-time",
      "The issuer's key became valid after it signed.",
      "ISSUER_KEY_NOT_VALID",
      {
        trustList: { keys: [world.trustedKey("issuer", { validFrom: NOW - DAY + 1 })] },
      },
    ],
  ];
  for (const [name, description, code, changes] of [...SHARED_FAULTS, ...PRECEDENCE, ...own]) {
    const input = recordOf(await twoWay(changes));
    invalid.push({ name: `payment/${name}`, description, step: "payment", input, expect: { code } });
  }
  return { valid, invalid };
}

/** Two payments by what the conflict rule looks at. */
export function compatibleCases(): Case[] {
  const at = (sequence: number, spentMinor: string, amountMinor: string): JsonObject => ({
    sequence,
    spentMinor,
    amountMinor,
  });
  const rows: readonly (readonly [string, string, JsonObject, JsonObject, boolean])[] = [
    ["neighbours", "One right after the other.", at(1, "100", "100"), at(2, "150", "50"), true],
    ["neighbours-turned", "The same, the later one first.", at(2, "150", "50"), at(1, "100", "100"), true],
    ["far-apart", "Others lie between them.", at(1, "100", "100"), at(9, "900", "50"), true],
    ["same-sequence", "Two of one sequence number.", at(1, "100", "100"), at(1, "50", "50"), false],
    ["same-position", "Two different payments at one position.", at(3, "300", "100"), at(3, "300", "100"), false],
    [
      "no-room",
      "The later total leaves no room for both: other numbers do not help.",
      at(1, "100", "100"),
      at(2, "149", "50"),
      false,
    ],
    ["total-backwards", "The later one has a lower total.", at(1, "100", "100"), at(5, "90", "10"), false],
    ["total-unchanged", "The later one spends nothing.", at(1, "100", "100"), at(2, "100", "100"), false],
    [
      "largest",
      "Totals near 2^53.",
      at(1, "9007199254740990", "9007199254740990"),
      at(2, "9007199254740991", "1"),
      true,
    ],
  ];
  return rows.map(([name, description, left, right, compatible]) => ({
    name: `compatible/${name}`,
    description,
    step: "compatible",
    input: { left, right },
    expect: { fields: { compatible } },
  }));
}

export const freshNonce = (lead: number): RequestNonce => id<RequestNonce>(lead, 8);
