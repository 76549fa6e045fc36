import { Batch, type SettlementContext } from "./batch.ts";
import type { CertificateSheet } from "./certificate-sheet.ts";
import { type OutcomeCode, outcomeSentence } from "./codes.ts";
import { proveConflict } from "./conflict.ts";
import type { Judgement } from "./judge.ts";
import type {
  Claim,
  Funding,
  KnownPayment,
  PayeeWord,
  SettlementItem,
  SettlementOutcome,
  SettlementResult,
  SettlementState,
  SideClaim,
} from "./model.ts";

/**
 * Decides over a batch, item by item: known already? contradicting anything? to be paid, held, refused, left pending or
 * given back? Posts what is to be paid: balance, then credit, then loss reserve. Pure; the state holds everything that
 * the items touch, and what an item takes is gone for the next one. The same item any number of times, in one batch or
 * many, has one effect and one answer. Spec: docs/spec/ledger.md.
 * @throws SettleError FUNDS_MISSING when the state is not complete, HISTORY_MISSING when a brief one is not enough: the
 *   same items are then settled with all payments of their certificates.
 */
export function settle(
  state: SettlementState,
  items: readonly SettlementItem[],
  context: SettlementContext,
): SettlementResult {
  const batch = new Batch(state, context);
  const outcomes = items.map((item) => settleItem(item, batch));
  return batch.result(outcomes);
}

function settleItem(item: SettlementItem, batch: Batch): SettlementOutcome {
  const sheet = batch.sheet(item.certificateId);
  if (sheet === undefined) return answer(item, { state: "refused", code: "CERTIFICATE_UNKNOWN" });
  const known = sheet.payment(item);
  if (known !== undefined) return settleAgain(known, item, sheet, batch);
  batch.noteConflict(sheet, proveConflict(item, sheet, batch.context.now));
  return decide(item, batch.judge(item, sheet), sheet, batch, undefined);
}

/** A payment that is known: the same word gets the same answer, a new word is judged now. */
function settleAgain(
  known: KnownPayment,
  item: SettlementItem,
  sheet: CertificateSheet,
  batch: Batch,
): SettlementOutcome {
  const word = item.payeeWord;
  if (known.state === "settled") {
    if (batch.isVoided(item) && known.claim !== undefined)
      keepBeside(known, item, { ...known.claim, state: "held", code: "VOIDED_AFTER_SETTLEMENT" }, sheet);
    if (word === undefined || sameClaim(claimOf(word), known.claim)) return repeat(known);
    if (item.refusal !== undefined)
      return keepBeside(known, item, { ...claimOf(word), state: "refused", code: item.refusal.code }, sheet);
    return keepBeside(known, item, { ...claimOf(word), state: "held", code: "OPEN_PAYMENT_CAPTURED_ELSEWHERE" }, sheet);
  }
  if (known.state === "released" && known.code === "REQUEST_VOIDED") return answerVoided(known, item, sheet);
  // A person's word stands: the same claim is not held again.
  if (known.code === "REJECTED_IN_REVIEW" && (word === undefined || sameClaim(claimOf(word), known.claim)))
    return repeat(known);
  const judged = batch.judge(item, sheet);
  if (judged.state === "released") return decide(item, judged, sheet, batch, known);
  if (word === undefined) return repeat(known);
  if (takesOver(known, judged)) return decide(item, judged, sheet, batch, known);
  if (sameClaim(claimOf(word), known.claim) || judged.code === undefined) return repeat(known);
  const state = judged.state === "held" ? "held" : "refused";
  return keepBeside(known, item, { ...claimOf(word), state, code: judged.code }, sheet);
}

/** Whether what one payee's word leads to becomes the payment's own outcome. Being paid always does. */
function takesOver(known: KnownPayment, judged: Judgement): boolean {
  if (judged.state === "settled" || known.state === "pending") return true;
  if (known.state === "refused") return judged.state === "held" || known.claim === undefined;
  return known.state === "released" && judged.state === "held";
}

/** Writes a judgement: the payment in its new state, its posting when it is paid, and what it displaces beside it. */
function decide(
  item: SettlementItem,
  judged: Judgement,
  sheet: CertificateSheet,
  batch: Batch,
  known: KnownPayment | undefined,
): SettlementOutcome {
  const word = item.payeeWord;
  const isPaid = judged.state === "settled" && word !== undefined;
  const paid = isPaid ? batch.post(item, word, sheet) : undefined;
  const payment: KnownPayment = {
    paymentId: item.paymentId,
    kind: item.kind,
    sequence: item.sequence,
    spentMinor: item.spentMinor,
    amountMinor: item.amountMinor,
    previous: item.previous,
    requestHash: item.requestHash,
    state: judged.state,
    code: judged.code,
    claim: judged.state === "released" || word === undefined ? undefined : claimOf(word),
    takenMinor: isPaid ? word.takenMinor : 0n,
    funding: paid?.funding,
    sideClaims: known?.sideClaims ?? [],
  };
  sheet.put(payment, { known, item, entry: paid?.entry });
  const displaced = known?.claim;
  if (displaced !== undefined && known?.code !== undefined && !sameClaim(displaced, payment.claim)) {
    const state = known.state === "held" && !isVoided(judged) ? "held" : "refused";
    const code = isVoided(judged) ? "REQUEST_VOIDED" : known.code;
    keepBeside(payment, item, { ...displaced, state, code }, sheet);
  }
  const isTerminals = word !== undefined && item.broughtBy === "terminal";
  return isVoided(judged) && isTerminals ? answerVoided(payment, item, sheet) : answer(item, judged, payment);
}

const isVoided = (judged: Judgement): boolean => judged.state === "released";

/** The payer got the payment back. A payee that brings an acceptance after its own void is refused. */
function answerVoided(known: KnownPayment, item: SettlementItem, sheet: CertificateSheet): SettlementOutcome {
  if (item.payeeWord === undefined || item.broughtBy === "payer") return repeat(known);
  return keepBeside(known, item, { ...claimOf(item.payeeWord), state: "refused", code: "REQUEST_VOIDED" }, sheet);
}

/** Keeps a claim as evidence beside the payment, once, and answers with it. */
function keepBeside(
  known: KnownPayment,
  item: SettlementItem,
  sideClaim: SideClaim,
  sheet: CertificateSheet,
): SettlementOutcome {
  const latest = sheet.payment(known) ?? known;
  const earlier = latest.sideClaims.find((kept) => sameClaim(kept, sideClaim));
  if (earlier === undefined) sheet.putBeside(latest, sideClaim);
  const { state, code } = earlier ?? sideClaim;
  return { ...answer(item, { state, code }), repeated: earlier !== undefined };
}

function repeat(known: KnownPayment): SettlementOutcome {
  return { ...answer(known, known, known), repeated: true };
}

function answer(
  about: { readonly paymentId: SettlementItem["paymentId"] },
  { state, code }: { readonly state: SettlementOutcome["state"]; readonly code: OutcomeCode | undefined },
  paid?: { readonly takenMinor: bigint; readonly funding: Funding | undefined },
): SettlementOutcome {
  return {
    paymentId: about.paymentId,
    state,
    code,
    sentence: outcomeSentence(state, code),
    takenMinor: paid?.takenMinor ?? 0n,
    funding: paid?.funding,
    repeated: false,
  };
}

function claimOf(word: PayeeWord): Claim {
  return { payeeId: word.payeeId, terminalId: word.terminalId, claimedMinor: word.takenMinor };
}

function sameClaim(left: Claim, right: Claim | undefined): boolean {
  return right !== undefined && left.terminalId === right.terminalId && left.claimedMinor === right.claimedMinor;
}
