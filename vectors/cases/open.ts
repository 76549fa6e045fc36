import {
  type Capture,
  type CertificateId,
  chainHashOf,
  currency,
  type MessageId,
  type OpenPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  statusBits,
  type TrustList,
  type UserCertificate,
  type Verified,
  writeCode,
} from "@cairn/messages";
import { type Case, hex, type JsonObject } from "../case.ts";
import { testKey } from "../keys.ts";
import * as world from "../world.ts";
import { id, NOW } from "../world.ts";

/** All that an open payment and its capture rest on; each refers to the others. */
type Open = {
  readonly trustList: Verified<TrustList>;
  readonly payee: Verified<PayeeCertificate>;
  readonly certificate: Verified<UserCertificate>;
  readonly payment: Verified<OpenPayment>;
  readonly capture: Verified<Capture>;
};
type Changes = {
  readonly payee?: Parameters<typeof world.signPayee>[0];
  readonly certificate?: Parameters<typeof world.signUser>[0];
  readonly payment?: Parameters<typeof world.signOpen>[0];
  readonly paymentBy?: Parameters<typeof world.signOpen>[1];
  readonly capture?: Parameters<typeof world.signCapture>[0];
  readonly captureBy?: Parameters<typeof world.signCapture>[1];
};

async function openSet(changes: Changes = {}): Promise<Open> {
  const payee = await world.signPayee(changes.payee);
  const certificate = await world.signUser(changes.certificate);
  const payment = await world.signOpen(
    {
      certificateId: certificate.content.certificateId,
      previous: chainHashOf(certificate.messageId),
      ...changes.payment,
    },
    changes.paymentBy,
  );
  const { payeeCertificateId } = payee.content;
  const capture = await world.signCapture(
    { payeeCertificateId, paymentId: payment.messageId, amountMinor: 250n, ...changes.capture },
    changes.captureBy,
  );
  return { trustList: await world.signTrustList(), payee, certificate, payment, capture };
}

type Fault = readonly [name: string, description: string, code: string, changes: Changes];

/** What a terminal refuses at NOW, and the issuer at the capture's time, which is NOW. */
const SHARED: readonly Fault[] = [
  [
    "other-certificate",
    "The payment names another certificate.",
    "CERTIFICATE_MISMATCH",
    { payment: { certificateId: id<CertificateId>(0xc2, 16) } },
  ],
  ["payment-forged", "Another device signed the payment.", "SIGNATURE_INVALID", { paymentBy: testKey("other-device") }],
  [
    "payee-expired",
    "The payee's certificate expired a second ago.",
    "PAYEE_CERTIFICATE_EXPIRED",
    { payee: { expiresAt: NOW - 1 } },
  ],
  [
    "certificate-expired",
    "The payer's certificate expired a second ago.",
    "CERTIFICATE_EXPIRED",
    { certificate: { expiresAt: NOW - 1 } },
  ],
  [
    "other-currency",
    "The certificates are in different currencies.",
    "CURRENCY_MISMATCH",
    { certificate: { terms: { currency: currency("CHF") } } },
  ],
  [
    "other-audience",
    "Only another payee may capture it.",
    "AUDIENCE_MISMATCH",
    { payment: { audience: "KIOSK-4" as PayeeId } },
  ],
  [
    "validity-too-long",
    "Valid for a second more than five minutes.",
    "PAYMENT_VALIDITY_TOO_LONG",
    { payment: { expiresAt: NOW - 5 + 301 } },
  ],
  [
    "not-yet-valid",
    "Signed 61 seconds in the future.",
    "PAYMENT_NOT_YET_VALID",
    { payment: { issuedAt: NOW + 61, expiresAt: NOW + 121 } },
  ],
  ["expired", "Expired 61 seconds ago.", "PAYMENT_EXPIRED", { payment: { issuedAt: NOW - 121, expiresAt: NOW - 61 } }],
  ["zero", "A maximum of nothing.", "AMOUNT_ZERO", { payment: { amountMinor: 0n } }],
  [
    "over-cap",
    "A maximum above what the payer may pay at once.",
    "AMOUNT_OVER_CERTIFICATE_CAP",
    { payment: { amountMinor: 5_001n, spentMinor: 5_001n } },
  ],
  [
    "spent-inconsistent",
    "A running total below the maximum.",
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

const EDGES: readonly (readonly [name: string, description: string, changes: Changes])[] = [
  ["usual", "As on an ordinary day.", {}],
  ["for-this-payee", "Only this payee may capture it.", { payment: { audience: "KIOSK-3" as PayeeId } }],
  ["future", "Signed 60 seconds in the future.", { payment: { issuedAt: NOW + 60, expiresAt: NOW + 120 } }],
  ["just-expired", "Expired 60 seconds ago.", { payment: { issuedAt: NOW - 120, expiresAt: NOW - 60 } }],
  ["five-minutes", "Valid for five minutes.", { payment: { expiresAt: NOW - 5 + 300 } }],
];

/** What the issuer makes of an open payment with its capture. */
export async function capturedCases(): Promise<{ valid: Case[]; invalid: Case[] }> {
  const inputOf = (set: Open): JsonObject => ({
    trustList: hex(set.trustList.bytes),
    certificate: hex(set.certificate.bytes),
    payment: hex(set.payment.bytes),
    payeeCertificate: hex(set.payee.bytes),
    capture: hex(set.capture.bytes),
  });
  const valid: Case[] = [];
  const invalid: Case[] = [];
  const whole: Changes = { capture: { amountMinor: 1_337n } };
  for (const [name, description, changes] of [
    ...EDGES,
    ["whole-maximum", "All of the maximum is taken.", whole] as const,
  ]) {
    const set = await openSet(changes);
    const fields = { paymentId: set.payment.messageId, takenMinor: set.capture.content.amountMinor.toString() };
    valid.push({ name: `captured/${name}`, description, step: "captured", input: inputOf(set), expect: { fields } });
  }
  const own: readonly Fault[] = [
    [
      "capture-forged",
      "Another terminal signed the capture.",
      "SIGNATURE_INVALID",
      { captureBy: testKey("other-terminal") },
    ],
    [
      "other-payment",
      "The capture is of another payment.",
      "CAPTURE_MISMATCH",
      { capture: { paymentId: id<MessageId>(0x77, 32) } },
    ],
    [
      "other-payee-certificate",
      "The capture names another payee certificate.",
      "PAYEE_CERTIFICATE_MISMATCH",
      {
        capture: { payeeCertificateId: id<PayeeCertificateId>(0xe2, 8) },
      },
    ],
    [
      "payee-not-yet-valid",
      "The payee's certificate began 301 seconds after the capture.",
      "PAYEE_CERTIFICATE_NOT_YET_VALID",
      { payee: { issuedAt: NOW + 301 } },
    ],
    [
      "certificate-not-yet-valid",
      "The payer's certificate began 301 seconds after the capture.",
      "CERTIFICATE_NOT_YET_VALID",
      { certificate: { issuedAt: NOW + 301 } },
    ],
    [
      "over-maximum",
      "A cent more than the payer allowed.",
      "CAPTURE_OVER_MAXIMUM",
      { capture: { amountMinor: 1_338n } },
    ],
    [
      "over-payee-cap",
      "More than the payee may take at once.",
      "AMOUNT_OVER_PAYEE_CAP",
      { payee: { terms: { perPaymentCapMinor: 249n } } },
    ],
  ];
  for (const [name, description, code, changes] of [...SHARED, ...own])
    invalid.push({
      name: `captured/${name}`,
      description,
      step: "captured",
      input: inputOf(await openSet(changes)),
      expect: { code },
    });
  return { valid, invalid };
}

type Memory = {
  readonly revoked?: readonly number[];
  readonly before?: readonly Open[];
  readonly captureMinor?: bigint;
};

/** What a terminal makes of an open payment. */
export async function acceptOpenCases(): Promise<{ valid: Case[]; invalid: Case[] }> {
  const codeOf = ({ certificate, payment }: Open): string =>
    writeCode({ type: "open-payment", certificate: certificate.bytes, message: payment.bytes });
  const inputOf = async (set: Open, { revoked = [], before = [], captureMinor }: Memory): Promise<JsonObject> => ({
    trustList: hex(set.trustList.bytes),
    statusList: hex((await world.signStatusList({ bits: statusBits({ size: 64, revoked }) })).bytes),
    payeeCertificate: hex(set.payee.bytes),
    before: before.map((earlier) => ({ code: codeOf(earlier), now: NOW })),
    code: codeOf(set),
    captureMinor: captureMinor === undefined ? null : captureMinor.toString(),
    now: NOW,
  });
  const about = async (name: string, description: string, set: Open, memory: Memory) => ({
    name: `accept-open/${name}`,
    description,
    step: "accept-open" as const,
    input: await inputOf(set, memory),
  });
  const accepts = async (name: string, description: string, set: Open, memory: Memory = {}): Promise<Case> => {
    const takenMinor = memory.captureMinor === undefined ? null : memory.captureMinor.toString();
    const fields = { paymentId: set.payment.messageId, takenMinor, guaranteed: true };
    return { ...(await about(name, description, set, memory)), expect: { fields } };
  };
  const refuses = async (
    name: string,
    description: string,
    code: string,
    set: Open,
    memory: Memory = {},
  ): Promise<Case> => ({
    ...(await about(name, description, set, memory)),
    expect: { code },
  });
  const first = await openSet();
  const next = await openSet({
    payment: { sequence: 2, spentMinor: 2_674n, previous: chainHashOf(first.payment.messageId) },
  });
  const small = await openSet({ payee: { terms: { storedTotalCapMinor: 1_336n } } });
  const lowCap = await openSet({ payee: { terms: { perPaymentCapMinor: 249n } } });
  const valid: Case[] = [];
  const invalid: Case[] = [];
  for (const [name, description, changes] of EDGES)
    valid.push(await accepts(name, description, await openSet(changes)));
  valid.push(
    await accepts("captured-at-once", "A fare of 2.50 is captured at once.", first, { captureMinor: 250n }),
    await accepts("captured-whole", "All of the maximum is captured.", first, { captureMinor: 1_337n }),
    await accepts("second", "The certificate's next payment.", next, { before: [first] }),
  );
  for (const [name, description, code, changes] of SHARED)
    invalid.push(await refuses(name, description, code, await openSet(changes)));
  invalid.push(
    await refuses("replayed", "The same payment again.", "PAYMENT_REPLAYED", first, { before: [first] }),
    await refuses("revoked", "The certificate is withdrawn.", "CERTIFICATE_REVOKED", first, { revoked: [7] }),
    await refuses("capture-zero", "Nothing is to be captured.", "AMOUNT_ZERO", first, { captureMinor: 0n }),
    await refuses(
      "capture-over-maximum",
      "More is to be captured than the payer allowed.",
      "CAPTURE_OVER_MAXIMUM",
      first,
      { captureMinor: 1_338n },
    ),
    await refuses(
      "capture-over-payee-cap",
      "More is to be captured than the payee may take.",
      "AMOUNT_OVER_PAYEE_CAP",
      lowCap,
      { captureMinor: 250n },
    ),
    await refuses("older", "A payment that comes before the one accepted.", "SEQUENCE_CONFLICT", first, {
      before: [next],
    }),
    await refuses(
      "stored-total",
      "The maximum is a cent more than the terminal may store.",
      "STORED_TOTAL_REACHED",
      small,
    ),
  );
  return { valid, invalid };
}
