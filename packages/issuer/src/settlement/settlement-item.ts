import {
  isRefusal,
  MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS,
  type OpenPayment,
  type PayeeCertificate,
  type Payment,
  type Refusal,
  type RefusalCode,
  refusal,
  refuseCapturedPayment,
  refuseChainLink,
  refuseTwoWayPayment,
  refuseUserCertificate,
  requestHashOf,
  type UserCertificate,
  type Verified,
} from "@cairn/messages";
import type { PayeeWord, SettlementItem } from "@cairn/settle";
import type { RequestVoidRecord } from "@cairn/stores";
import type { CheckedOpen, CheckedTwoWay, CheckedVoid } from "./check-signatures.ts";
import { terminalOf, type VerifyRecordsContext } from "./context.ts";
import { faultOf, type RecordFault } from "./record-codes.ts";
import type { UploadedRecord } from "./verify-records.ts";

type Input<Checked, Link> = {
  readonly record: UploadedRecord;
  readonly checked: Checked;
  readonly certificate: Verified<UserCertificate>;
  readonly payment: Verified<Link>;
};
type Context = Pick<VerifyRecordsContext, "caches" | "crypto">;

/** Parts that do not belong together: the record's fault, not the payment's. */
const RECORD_AT_FAULT: ReadonlySet<string> = new Set<RefusalCode>([
  "REQUEST_MISMATCH",
  "PAYEE_CERTIFICATE_MISMATCH",
  "CAPTURE_MISMATCH",
]);

/**
 * A two-way payment. Its request hash pins the request and with it the payee certificate, so the rules' verdict is the
 * same whoever brings it.
 */
export function twoWayItem(input: Input<CheckedTwoWay, Payment>, context: Context): SettlementItem | RecordFault {
  const { record, checked, certificate, payment } = input;
  const { decoded, payeeCertificate: payee } = checked;
  if (isRefusal(payee)) return faultOf(payee);
  const request = decoded.request.unverified;
  const requestId = decoded.request.messageId;
  const verdict = refuseTwoWayPayment({
    certificate: certificate.content,
    payment: payment.content,
    payeeCertificate: payee.content,
    request,
    requestId,
  });
  if (verdict !== undefined && RECORD_AT_FAULT.has(verdict.code)) return faultOf(verdict);
  const statement = refuseStatements(checked, payment);
  if (statement !== undefined) return faultOf(statement);
  const hasWord = record.broughtBy === "terminal" || checked.receipt !== undefined;
  const accepted = { acceptedAt: request.issuedAt, takenMinor: payment.content.amountMinor };
  return itemOf(input, {
    kind: "payment",
    requestHash: payment.content.requestHash,
    payeeWord: hasWord ? payeeWord(payee, accepted, context) : undefined,
    voided: checked.requestVoid !== undefined,
    refusal: verdict,
  });
}

/** The receipt and the void that a payer brings along: both under the till's key, both about this payment. */
function refuseStatements(
  { decoded, receipt, requestVoid }: CheckedTwoWay,
  payment: Verified<Payment>,
): Refusal | undefined {
  if (receipt !== undefined) {
    if (isRefusal(receipt)) return receipt;
    const { paymentId, amountMinor } = receipt.content;
    if (paymentId !== payment.messageId || amountMinor !== payment.content.amountMinor)
      return refusal("RECEIPT_MISMATCH");
  }
  if (requestVoid !== undefined) {
    if (isRefusal(requestVoid)) return requestVoid;
    if (requestVoid.content.requestId !== decoded.request.messageId) return refusal("REQUEST_MISMATCH");
  }
  return undefined;
}

/**
 * An open payment names no payee, so anyone who saw it can bring a capture for it: what is wrong with one capture says
 * nothing against another payee's. A payer's copy stays evidence even when the receipt beside it does not hold.
 */
export function openPaymentItem(
  input: Input<CheckedOpen, OpenPayment>,
  context: Context,
): SettlementItem | RecordFault {
  const { record, certificate, payment } = input;
  const judged = judgeCapture(input, context);
  const itself = { kind: "open-payment", requestHash: undefined, voided: false } as const;
  const ownFault = refuseOpenPaymentItself(certificate.content, payment.content);
  if (judged !== undefined && !("code" in judged) && (judged.refusal === undefined || record.broughtBy === "terminal"))
    return itemOf(input, { ...itself, payeeWord: judged.word, refusal: ownFault ?? judged.refusal });
  if (judged !== undefined && "code" in judged && record.broughtBy === "terminal") return faultOf(judged);
  return itemOf(input, { ...itself, payeeWord: undefined, refusal: ownFault });
}

/** What is wrong with an open payment whoever captures it. */
function refuseOpenPaymentItself(certificate: UserCertificate, payment: OpenPayment): Refusal | undefined {
  const early = refuseUserCertificate(certificate, payment.issuedAt);
  if (early !== undefined) return early;
  if (payment.expiresAt - payment.issuedAt > MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS)
    return refusal("PAYMENT_VALIDITY_TOO_LONG");
  return refuseChainLink(certificate, payment);
}

type JudgedCapture = { readonly word: PayeeWord; readonly refusal: Refusal | undefined };

/** The payee's word and what the rules say of it; a refusal alone when it is not a word about this payment at all. */
function judgeCapture(
  { checked, certificate, payment }: Input<CheckedOpen, OpenPayment>,
  context: Context,
): JudgedCapture | Refusal | undefined {
  const { word: capture, payeeCertificate: payee } = checked;
  if (capture === undefined || payee === undefined) return undefined;
  if (isRefusal(payee)) return payee;
  if (isRefusal(capture)) return capture;
  const verdict = refuseCapturedPayment({
    certificate: certificate.content,
    payment: payment.content,
    paymentId: payment.messageId,
    payeeCertificate: payee.content,
    capture: capture.content,
  });
  if (verdict !== undefined && RECORD_AT_FAULT.has(verdict.code)) return verdict;
  const { issuedAt, amountMinor } = capture.content;
  return { word: payeeWord(payee, { acceptedAt: issuedAt, takenMinor: amountMinor }, context), refusal: verdict };
}

/** A till's void of its own request: the payee's word that it will accept no payment for it. */
export function voidRecord(
  record: UploadedRecord,
  { decoded, payeeCertificate: payee, requestVoid }: CheckedVoid,
  context: Context,
): RequestVoidRecord | RecordFault {
  if (isRefusal(payee)) return faultOf(payee);
  if (isRefusal(requestVoid)) return faultOf(requestVoid);
  const { messageId: requestId, unverified: request } = decoded.request;
  if (requestVoid.content.requestId !== requestId) return faultOf(refusal("REQUEST_MISMATCH"));
  // Else a payee could void the requests of another.
  if (request.payeeCertificateId !== payee.content.payeeCertificateId)
    return faultOf(refusal("PAYEE_CERTIFICATE_MISMATCH"));
  return {
    requestHash: requestHashOf(requestId),
    payeeId: payee.content.payeeId,
    terminalId: terminalOf(payee, context),
    bytes: record.bytes,
    receivedAt: record.receivedAt,
  };
}

function payeeWord(
  payee: Verified<PayeeCertificate>,
  accepted: Pick<PayeeWord, "acceptedAt" | "takenMinor">,
  context: Context,
): PayeeWord {
  const { payeeId, terms } = payee.content;
  return {
    payeeId,
    terminalId: terminalOf(payee, context),
    perCertificateCapMinor: terms.perCertificateCapMinor,
    maximumOfflineSeconds: terms.maximumOfflineSeconds,
    acceptedAt: accepted.acceptedAt,
    takenMinor: accepted.takenMinor,
  };
}

/** Every field by its name: spread out, an object of so many costs several times as much, once for each payment. */
function itemOf(
  { record, certificate, payment }: Pick<Input<never, Payment | OpenPayment>, "record" | "certificate" | "payment">,
  judged: Pick<SettlementItem, "kind" | "requestHash" | "payeeWord" | "voided" | "refusal">,
): SettlementItem {
  const { sequence, spentMinor, amountMinor, previous } = payment.content;
  // The payment names the same one, in a text of its own, which every map would have to look at anew.
  const { certificateId } = certificate.content;
  const { messageId: paymentId } = payment;
  const { inboxId, receivedAt, broughtBy } = record;
  return {
    inboxId,
    paymentId,
    certificateId,
    sequence,
    spentMinor,
    amountMinor,
    previous,
    receivedAt,
    broughtBy,
    kind: judged.kind,
    requestHash: judged.requestHash,
    payeeWord: judged.payeeWord,
    voided: judged.voided,
    refusal: judged.refusal,
  };
}
