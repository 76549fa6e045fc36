import { type IssuerId, MAXIMUM_MINOR, type PayeeId, paymentRequest, signMessage, statusBits } from "@cairn/messages";
import { type Case, hex, toJsonObject } from "../case.ts";
import { offCurveKey, otherSignature, testKey } from "../keys.ts";
import * as world from "../world.ts";
import { DAY, KINDS, type KindName, NOW } from "../world.ts";

type Signed = { readonly bytes: Uint8Array; readonly messageId: string; readonly content: object };

function decoded(kind: KindName, name: string, description: string, message: Signed): Case {
  return {
    name: `decode/${kind}/${name}`,
    description,
    step: "decode",
    input: { kind, bytes: hex(message.bytes) },
    expect: { fields: { messageId: message.messageId, ...toJsonObject(message.content) } },
  };
}

export async function decodeValid(): Promise<Case[]> {
  const samples = Object.entries(KINDS).map(([kind, { sample }]) =>
    decoded(kind as KindName, "usual", "Values as on an ordinary day.", sample),
  );
  const { certificate } = world;
  const lead = certificate.bytes.subarray(0, -64);
  const malleated = Uint8Array.from([...lead, ...otherSignature(certificate.bytes.subarray(-64))]);
  return [
    ...samples,
    decoded("user-certificate", "other-signature", "The other valid ECDSA signature (r, n-s): the same message id.", {
      ...certificate,
      bytes: malleated,
    }),
    decoded(
      "user-certificate",
      "largest-values",
      "Every number at its upper bound.",
      await world.signUser({
        issuedAt: 4_294_967_294,
        expiresAt: 4_294_967_295,
        terms: {
          limitMinor: MAXIMUM_MINOR,
          perPaymentCapMinor: MAXIMUM_MINOR,
          protection: 3,
          statusIndex: 4_294_967_295,
        },
      }),
    ),
    decoded(
      "user-certificate",
      "smallest-values",
      "Every number at its lower bound.",
      await world.signUser({
        issuedAt: 0,
        expiresAt: 1,
        terms: { limitMinor: 1n, perPaymentCapMinor: 1n, protection: 0, statusIndex: 0 },
      }),
    ),
    decoded(
      "user-certificate",
      "key-off-curve",
      "A device key whose x belongs to no point. Decoding looks at its form alone; no signature ever verifies under it.",
      await world.signUser({ deviceKey: offCurveKey() }),
    ),
    decoded(
      "payee-certificate",
      "longest-texts",
      "A name of 40 bytes, some of them characters of several bytes, and a payee id of 16 characters.",
      await world.signPayee({
        payeeId: "ABCDEFGH-0123456" as PayeeId,
        terms: { name: "Bäckerei Übermüller & Töchter, Köln", maximumOfflineSeconds: 4_294_967_295 },
      }),
    ),
    decoded(
      "payee-certificate",
      "zero-ceilings",
      "Ceilings of nothing are well-formed: such a payee can take no payment.",
      await world.signPayee({
        terms: {
          perPaymentCapMinor: 0n,
          storedTotalCapMinor: 0n,
          perCertificateCapMinor: 0n,
          maximumOfflineSeconds: 0,
        },
      }),
    ),
    decoded(
      "payment-request",
      "no-order-reference",
      "Without the one field that may be absent.",
      await signRequestWithout(),
    ),
    decoded(
      "payment-request",
      "text-beyond-ascii",
      "An order reference in Japanese: 30 bytes of UTF-8.",
      await world.signRequest({ orderReference: "ご注文番号三百十二" }),
    ),
    decoded("payment", "largest-values", "Every number at its upper bound.", await world.signPayment(largestLink)),
    decoded(
      "payment",
      "zero-amount",
      "Zero is well-formed; the rules refuse it later.",
      await world.signPayment({ amountMinor: 0n }),
    ),
    decoded("open-payment", "no-audience", "Any payee may capture it.", await world.signOpen()),
    decoded("capture", "zero", "Nothing is taken.", await world.signCapture({ amountMinor: 0n })),
    decoded(
      "closing",
      "unused-certificate",
      "No payment was made: sequence and total are zero, and the last link is the certificate itself.",
      await world.signClosing({ sequence: 0, spentMinor: 0n }),
    ),
    decoded("trust-list", "empty", "No key is trusted any more.", await world.signTrustList({ keys: [], version: 8 })),
    decoded(
      "trust-list",
      "three-keys",
      "Keys of two issuers, for different uses and times.",
      await world.signTrustList({
        keys: [
          world.trustedKey("issuer"),
          world.trustedKey("other-issuer", { issuerId: "bay-transit" as IssuerId, issuerName: "Bay Transit", uses: 3 }),
          world.trustedKey("retired-issuer", { validUntil: NOW - 30 * DAY }),
        ],
      }),
    ),
    decoded(
      "status-list",
      "ietf-example",
      "The bits of the example in draft-ietf-oauth-status-list section 4: b9 a3.",
      await world.signStatusList({ bits: Uint8Array.of(0xb9, 0xa3) }),
    ),
    decoded(
      "status-list",
      "no-bits",
      "A list of no certificate.",
      await world.signStatusList({ bits: new Uint8Array() }),
    ),
    decoded(
      "status-list",
      "many-bits",
      "4,096 certificates, a few withdrawn.",
      await world.signStatusList({ bits: statusBits({ size: 4_096, revoked: [0, 7, 8, 1_000, 4_095] }) }),
    ),
    decoded(
      "user-certificate",
      "of-another-issuer",
      "Signed by another key: decoding does not care who signed.",
      await world.signUser({}, testKey("other-issuer")),
    ),
  ];
}

const largestLink = {
  sequence: 4_294_967_295,
  amountMinor: MAXIMUM_MINOR,
  spentMinor: MAXIMUM_MINOR,
  issuedAt: 4_294_967_295,
};

async function signRequestWithout(): Promise<Signed> {
  const { orderReference: _, ...content } = world.request.content;
  return signMessage(paymentRequest, content, { signer: world.terminal, crypto: world.crypto });
}
