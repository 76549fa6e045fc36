import { currency, type PayeeId, type Verified, writeCode } from "@cairn/messages";
import { type Case, hex, type JsonObject, toJsonObject } from "../case.ts";
import { testKey } from "../keys.ts";
import * as world from "../world.ts";
import { DAY, id, NOW } from "../world.ts";
import { twoWay } from "./two-way.ts";

/** What a wallet makes of a request before it asks for consent, and of a receipt. */
type Cases = { valid: Case[]; invalid: Case[] };
type Changes = {
  readonly trustList?: Parameters<typeof world.signTrustList>[0];
  readonly payee?: Parameters<typeof world.signPayee>[0];
  readonly payeeBy?: Parameters<typeof world.signPayee>[1];
  readonly request?: Parameters<typeof world.signRequest>[0];
  readonly requestBy?: Parameters<typeof world.signRequest>[1];
  readonly now?: number;
};

async function requestCase(name: string, description: string, changes: Changes, code?: string): Promise<Case> {
  const payee = await world.signPayee(changes.payee, changes.payeeBy);
  const { payeeCertificateId } = payee.content;
  const request = await world.signRequest({ payeeCertificateId, ...changes.request }, changes.requestBy);
  const trustList = await world.signTrustList(changes.trustList);
  const input: JsonObject = {
    trustList: hex(trustList.bytes),
    code: writeCode({ type: "request", certificate: payee.bytes, message: request.bytes }),
    now: changes.now ?? NOW,
  };
  const { amountMinor, currency: its, orderReference, expiresAt } = request.content;
  const fields = toJsonObject({
    requestId: request.messageId,
    payeeId: payee.content.payeeId,
    payeeName: payee.content.terms.name,
    amountMinor,
    currency: its,
    orderReference,
    expiresAt,
  });
  const expect = code === undefined ? { fields } : { code };
  return { name: `request/${name}`, description, step: "request", input, expect };
}

const REQUESTS: readonly (readonly [name: string, description: string, changes: Changes])[] = [
  ["usual", "As on an ordinary day.", {}],
  ["last-second", "At the second of its expiry.", { now: NOW + 280 }],
  ["future", "Made 300 seconds in the future: clocks differ.", { now: NOW - 320 }],
  ["payee-cap", "All that the payee may take at once.", { request: { amountMinor: 10_000n } }],
];

const REFUSED: readonly (readonly [name: string, description: string, code: string, changes: Changes])[] = [
  [
    "trust-list-expired",
    "The wallet's trust list expired 301 seconds ago.",
    "TRUST_LIST_EXPIRED",
    { trustList: { expiresAt: NOW - 301 } },
  ],
  ["issuer-unknown", "The payee's issuer is not trusted.", "ISSUER_UNKNOWN", { payee: { issuerKeyId: id(0x99, 4) } }],
  [
    "issuer-key-use",
    "The issuer's key is for user certificates alone.",
    "ISSUER_KEY_NOT_ALLOWED",
    { trustList: { keys: [world.trustedKey("issuer", { uses: 1 })] } },
  ],
  [
    "payee-forged",
    "Another key signed the payee certificate in the issuer's name.",
    "SIGNATURE_INVALID",
    { payeeBy: testKey("other-issuer") },
  ],
  [
    "other-payee-certificate",
    "The request names another payee certificate.",
    "PAYEE_CERTIFICATE_MISMATCH",
    { request: { payeeCertificateId: id(0xe2, 8) } },
  ],
  [
    "request-forged",
    "Another terminal signed the request.",
    "SIGNATURE_INVALID",
    { requestBy: testKey("other-terminal") },
  ],
  [
    "payee-not-yet-valid",
    "The payee's certificate began 301 seconds after the request.",
    "PAYEE_CERTIFICATE_NOT_YET_VALID",
    { payee: { issuedAt: NOW - 20 + 301 } },
  ],
  [
    "payee-expired",
    "The payee's certificate expired a second before the request.",
    "PAYEE_CERTIFICATE_EXPIRED",
    { payee: { expiresAt: NOW - 21 } },
  ],
  [
    "other-currency",
    "The request is in another currency than the payee's certificate.",
    "CURRENCY_MISMATCH",
    { request: { currency: currency("CHF") } },
  ],
  ["zero", "Nothing is asked for.", "AMOUNT_ZERO", { request: { amountMinor: 0n } }],
  [
    "over-payee-cap",
    "A cent more than the payee may take at once.",
    "AMOUNT_OVER_PAYEE_CAP",
    { request: { amountMinor: 10_001n } },
  ],
  [
    "too-long",
    "Valid for a second more than an hour.",
    "REQUEST_VALIDITY_TOO_LONG",
    { request: { expiresAt: NOW - 20 + 3_601 } },
  ],
  ["not-yet-valid", "Made 301 seconds in the future.", "REQUEST_NOT_YET_VALID", { now: NOW - 321 }],
  ["expired", "A second after its expiry.", "REQUEST_EXPIRED", { now: NOW + 281 }],
  [
    "precedence",
    "For nothing, for too long, and expired: the amount is looked at first.",
    "AMOUNT_ZERO",
    {
      request: { amountMinor: 0n, expiresAt: NOW - 20 + 3_601 },
      now: NOW + DAY,
    },
  ],
];

export async function requestCases(): Promise<Cases> {
  const valid: Case[] = [];
  const invalid: Case[] = [];
  for (const [name, description, changes] of REQUESTS) valid.push(await requestCase(name, description, changes));
  for (const [name, description, code, changes] of REFUSED)
    invalid.push(await requestCase(name, description, changes, code));
  return { valid, invalid };
}

export async function receiptCases(): Promise<Cases> {
  const set = await twoWay();
  type Receipt = Verified<{ readonly amountMinor: bigint }>;
  const inputOf = (receipt: Receipt, payee: { readonly bytes: Uint8Array } = set.payee): JsonObject => ({
    trustList: hex(set.trustList.bytes),
    payment: hex(set.payment.bytes),
    payeeCertificate: hex(set.payee.bytes),
    code: writeCode({ type: "receipt", certificate: payee.bytes, message: receipt.bytes }),
  });
  const usual = await world.signReceipt();
  const renewed = await world.signPayee({ payeeCertificateId: id(0xe3, 8), issuedAt: NOW - 10 });
  const { payeeCertificateId } = renewed.content;
  const ofRenewed = await world.signReceipt({ payeeCertificateId });
  const otherTill = await world.signPayee({
    payeeCertificateId: id(0xe4, 8),
    terminalKey: testKey("other-terminal").publicKey,
  });
  const otherPayee = await world.signPayee({ payeeCertificateId: id(0xe5, 8), payeeId: "KIOSK-4" as PayeeId });
  const expired = await world.signPayee({ payeeCertificateId: id(0xe6, 8), expiresAt: NOW - 1 });
  const { signReceipt } = world;
  const by = testKey("other-terminal");
  const fields = { paymentId: set.payment.messageId, takenMinor: "1337" };
  const good = (name: string, description: string, input: JsonObject): Case => ({
    name: `receipt/${name}`,
    description,
    step: "receipt",
    input,
    expect: { fields },
  });
  const bad = (name: string, description: string, code: string, input: JsonObject): Case => ({
    name: `receipt/${name}`,
    description,
    step: "receipt",
    input,
    expect: { code },
  });
  const mismatch = "RECEIPT_MISMATCH";
  return {
    valid: [
      good("usual", "The till's receipt.", inputOf(usual)),
      good("renewed", "The till's certificate was renewed since the request.", inputOf(ofRenewed, renewed)),
    ],
    invalid: [
      bad("forged", "Another terminal signed it.", "SIGNATURE_INVALID", inputOf(await signReceipt({}, by))),
      bad(
        "other-certificate",
        "It names another payee certificate than the one beside it.",
        "PAYEE_CERTIFICATE_MISMATCH",
        inputOf(usual, renewed),
      ),
      bad(
        "other-payment",
        "It is for another payment.",
        mismatch,
        inputOf(await signReceipt({ paymentId: id(0x77, 32) })),
      ),
      bad("other-amount", "It says less than was paid.", mismatch, inputOf(await signReceipt({ amountMinor: 1_336n }))),
      bad(
        "other-till",
        "Another till of the payee gave it.",
        mismatch,
        inputOf(await signReceipt({ payeeCertificateId: otherTill.content.payeeCertificateId }, by), otherTill),
      ),
      bad(
        "other-payee",
        "Another payee gave it.",
        mismatch,
        inputOf(await signReceipt({ payeeCertificateId: otherPayee.content.payeeCertificateId }), otherPayee),
      ),
      bad(
        "payee-expired",
        "The till's certificate had expired.",
        "PAYEE_CERTIFICATE_EXPIRED",
        inputOf(await signReceipt({ payeeCertificateId: expired.content.payeeCertificateId }), expired),
      ),
    ],
  };
}
