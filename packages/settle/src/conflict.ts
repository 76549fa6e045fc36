import { isBeyondClosing, type MessageId } from "@cairn/messages";
import type { CertificateSheet } from "./certificate-sheet.ts";
import { contradiction } from "./chain.ts";
import type { CertificateState, ClosingFacts, ConflictKind, ConflictProof, SettlementItem } from "./model.ts";

/**
 * Looks at a payment that was not known before, beside everything that the device is known to have signed: payments in
 * every state, since all bear its signature, and its closing. The first proof of a certificate is kept; from then on
 * nothing more is to be proven.
 */
export function proveConflict(item: SettlementItem, sheet: CertificateSheet, now: number): ConflictProof | undefined {
  if (sheet.conflict !== undefined) return undefined;
  const proof = (first: MessageId, kind: ConflictKind): ConflictProof => ({
    certificateId: item.certificateId,
    first,
    second: item.paymentId,
    kind,
    provenAt: now,
  });
  const contradicted = contradiction(item, sheet.neighbours(item.sequence));
  if (contradicted !== undefined) return proof(contradicted.member.paymentId, contradicted.kind);
  const { closing } = sheet.certificate;
  if (closing !== undefined && isBeyondClosing(item, closing))
    return proof(closing.messageId, "payment-beyond-closing");
  return undefined;
}

export type ClosingJudgement = {
  readonly answer: "recorded" | "repeated" | "differs";
  readonly conflict: ConflictProof | undefined;
};

/**
 * What a device's signed last word changes. The first one counts. The same facts signed again (a lost reply) change
 * nothing; other facts prove that two devices sign with one key, as does a known payment beyond the closing.
 */
export function judgeClosing(certificate: CertificateState, closing: ClosingFacts, now: number): ClosingJudgement {
  const earlier = certificate.closing;
  const proof = (first: MessageId, second: MessageId, kind: ConflictKind): ConflictProof | undefined =>
    certificate.conflict === undefined
      ? { certificateId: certificate.certificateId, first, second, kind, provenAt: now }
      : undefined;
  if (earlier === undefined) {
    const beyond = certificate.payments.find((payment) => isBeyondClosing(payment, closing));
    if (beyond === undefined) return { answer: "recorded", conflict: undefined };
    return {
      answer: "recorded",
      conflict: proof(closing.messageId, beyond.paymentId, "payment-beyond-closing"),
    };
  }
  if (earlier.sequence === closing.sequence && earlier.spentMinor === closing.spentMinor)
    return { answer: "repeated", conflict: undefined };
  return { answer: "differs", conflict: proof(earlier.messageId, closing.messageId, "two-closings") };
}
