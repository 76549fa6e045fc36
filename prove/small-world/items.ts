import {
  type OpenPayment,
  type Refusal,
  type RefusalCode,
  refuseCapturedPayment,
  refuseChainLink,
  refuseTwoWayPayment,
  refuseUserCertificate,
  requestHashOf,
  type UserCertificate,
} from "@cairn/messages";
import type { PayeeWord, SettlementItem } from "@cairn/settle";
import { type Asked, idOf, type Shown, type Till } from "./cast.ts";

/** What the issuer's server makes of uploaded records once their signatures are verified: packages/issuer/src/settlement. */

/** Parts that do not belong together: such a record never reaches settlement. */
const RECORD_AT_FAULT: ReadonlySet<string> = new Set<RefusalCode>([
  "REQUEST_MISMATCH",
  "PAYEE_CERTIFICATE_MISMATCH",
  "CAPTURE_MISMATCH",
]);

export type Word = { readonly till: Till; readonly acceptedAt: number; readonly takenMinor: bigint };
export type Brought = {
  readonly by: SettlementItem["broughtBy"];
  readonly receivedAt: number;
  /** The capture or receipt that comes with it; a till's own two-way upload is its word. */
  readonly word?: Word;
  /** The request that it is said to answer: the one that it does, unless somebody lies. */
  readonly asked?: Asked;
  readonly voided?: boolean;
};

/** Undefined: the record is at fault by itself. */
export function itemOf(shown: Shown, brought: Brought): SettlementItem | undefined {
  const common = {
    ...linkOf(shown),
    inboxId: 1,
    paymentId: idOf(shown),
    receivedAt: brought.receivedAt,
    broughtBy: brought.by,
  };
  const certificate = shown.certificate.content;
  if (shown.kind === "open-payment") {
    const { word } = brought;
    const itself = refuseItself(shown.payment.content, certificate);
    const capture = word === undefined ? undefined : refuseCapture(shown, word);
    if (capture !== undefined && RECORD_AT_FAULT.has(capture.code)) return undefined;
    const counts = word !== undefined && (capture === undefined || brought.by === "terminal");
    return {
      ...common,
      kind: "open-payment",
      requestHash: undefined,
      voided: false,
      payeeWord: counts ? wordOf(word) : undefined,
      refusal: itself ?? (counts ? capture : undefined),
    };
  }
  const { till, request } = brought.asked ?? shown.asked;
  const payment = shown.payment.content;
  const refusal = refuseTwoWayPayment({
    certificate,
    payment,
    payeeCertificate: till.certificate.content,
    request: request.content,
    requestId: request.messageId,
  });
  if (refusal !== undefined && RECORD_AT_FAULT.has(refusal.code)) return undefined;
  const accepted = { till, acceptedAt: request.content.issuedAt, takenMinor: payment.amountMinor };
  return {
    ...common,
    kind: "payment",
    requestHash: requestHashOf(request.messageId),
    voided: brought.voided ?? false,
    payeeWord: brought.by === "terminal" || brought.word !== undefined ? wordOf(accepted) : undefined,
    refusal,
  };
}

function linkOf({ payment }: Shown) {
  const { certificateId, sequence, spentMinor, amountMinor, previous } = payment.content;
  return { certificateId, sequence, spentMinor, amountMinor, previous };
}

function wordOf({ till, acceptedAt, takenMinor }: Word): PayeeWord {
  const { payeeId, terms } = till.certificate.content;
  return {
    payeeId,
    terminalId: till.terminalId,
    perCertificateCapMinor: terms.perCertificateCapMinor,
    maximumOfflineSeconds: terms.maximumOfflineSeconds,
    acceptedAt,
    takenMinor,
  };
}

function refuseItself(payment: OpenPayment, certificate: UserCertificate): Refusal | undefined {
  return refuseUserCertificate(certificate, payment.issuedAt) ?? refuseChainLink(certificate, payment);
}

function refuseCapture(shown: Shown & { readonly kind: "open-payment" }, word: Word): Refusal | undefined {
  const payeeCertificate = word.till.certificate.content;
  const paymentId = idOf(shown);
  return refuseCapturedPayment({
    certificate: shown.certificate.content,
    payment: shown.payment.content,
    paymentId,
    payeeCertificate,
    capture: {
      payeeCertificateId: payeeCertificate.payeeCertificateId,
      paymentId,
      issuedAt: word.acceptedAt,
      amountMinor: word.takenMinor,
    },
  });
}
