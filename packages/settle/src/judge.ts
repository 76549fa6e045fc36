import { areCompatible, isBeyondClosing } from "@cairn/messages";
import type { CertificateSheet } from "./certificate-sheet.ts";
import type { OutcomeCode } from "./codes.ts";
import type { PayeeWord, PaymentState, SettlementItem, SettlementPolicy } from "./model.ts";

export type Judgement = { readonly state: PaymentState; readonly code: OutcomeCode | undefined };

const SETTLED: Judgement = { state: "settled", code: undefined };
const held = (code: OutcomeCode): Judgement => ({ state: "held", code });
const refused = (code: OutcomeCode): Judgement => ({ state: "refused", code });

/**
 * How a payment stands by what one item says of it, everything else that is known considered. The order is the order
 * of precedence. Spec: docs/spec/ledger.md "What becomes of a payment".
 */
export function judge(
  item: SettlementItem,
  sheet: CertificateSheet,
  about: { readonly voided: boolean; readonly policy: SettlementPolicy },
): Judgement {
  if (about.voided) return { state: "released", code: "REQUEST_VOIDED" };
  if (item.refusal !== undefined) return refused(item.refusal.code);
  const word = item.payeeWord;
  // A payer's own copy is evidence, never by itself a reason to pay.
  if (word === undefined) return { state: "pending", code: undefined };
  return (
    judgeRevocation(word, sheet) ??
    judgeDeadline(item, sheet, about.policy) ??
    judgeRequest(item, sheet) ??
    judgeConflict(item, word, sheet) ??
    SETTLED
  );
}

/** A terminal may not know of a revocation for as long as its lists may be old. Whoever accepted later did not look. */
function judgeRevocation(word: PayeeWord, { revokedAt }: CertificateSheet): Judgement | undefined {
  if (revokedAt === undefined || word.acceptedAt <= revokedAt + word.maximumOfflineSeconds) return undefined;
  return refused("CERTIFICATE_REVOKED");
}

/** After the deadline the money may have been promised anew. */
function judgeDeadline(
  item: SettlementItem,
  { certificate }: CertificateSheet,
  policy: SettlementPolicy,
): Judgement | undefined {
  return item.receivedAt > certificate.expiresAt + policy.uploadDeadlineSeconds ? held("UPLOAD_TOO_LATE") : undefined;
}

/** A terminal takes one payment for a request and a wallet makes one: two show that one of them is not sound. */
function judgeRequest(item: SettlementItem, sheet: CertificateSheet): Judgement | undefined {
  // Never by this payment itself: what is settled is not judged again.
  const isPaid = item.requestHash !== undefined && sheet.isPaid(item.requestHash);
  return isPaid ? held("REQUEST_PAID_TWICE") : undefined;
}

/**
 * A payment that contradicts nothing that was credited is paid, whatever the payer claims beside it. One that does is
 * the price of a cloned device: paid all the same when its own terminal could not have seen it, up to the payee's
 * ceiling. So the payments credited for one terminal are always pairwise compatible and add up to at most the limit.
 */
function judgeConflict(item: SettlementItem, word: PayeeWord, sheet: CertificateSheet): Judgement | undefined {
  // Whatever contradicts was noted as a conflict before: most certificates need no look at all that was credited.
  if (sheet.conflict === undefined) return undefined;
  const { closing } = sheet.certificate;
  let contradicts = closing !== undefined && isBeyondClosing(item, closing);
  let creditedToPayeeMinor = 0n;
  for (const credited of sheet.credited()) {
    if (credited.claim?.payeeId === word.payeeId) creditedToPayeeMinor += credited.takenMinor;
    if (areCompatible(credited, item)) continue;
    if (credited.claim?.terminalId === word.terminalId) return held("SEQUENCE_CONFLICT");
    contradicts = true;
  }
  if (!contradicts || creditedToPayeeMinor + word.takenMinor <= word.perCertificateCapMinor) return undefined;
  return held("PAYEE_CEILING_REACHED");
}
