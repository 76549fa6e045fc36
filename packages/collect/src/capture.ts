import { type MessageId, payeeCertificate, restoreVerified } from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import { decideCapture } from "./decide-capture.ts";
import type { Acceptance } from "./model.ts";
import { type CaptureOutcome, refused } from "./outcomes.ts";
import type { TerminalContext } from "./setup.ts";
import { receiptCodeFor } from "./statements.ts";

/**
 * Fixes what an accepted open payment takes, durable before anything is signed. There is one capture of a payment
 * ever: the same amount again gives the same capture, another amount is refused as CAPTURE_MISMATCH.
 * @throws CollectError ACCEPTANCE_UNKNOWN, CAPTURE_NOT_OPEN, NOT_ENROLLED.
 */
export async function capture(
  context: TerminalContext,
  paymentId: MessageId,
  amountMinor: bigint,
): Promise<CaptureOutcome> {
  await context.hold();
  const open = await acceptanceOf(context, paymentId);
  if (open.kind !== "open-payment") {
    throw new CollectError("CAPTURE_NOT_OPEN", "The amount of this payment was fixed by its request.");
  }
  const payeeBytes = await context.journal.payeeCertificate(open.payeeCertificateId);
  if (payeeBytes === undefined) throw new CollectError("NOT_ENROLLED", "The journal lacks the payee certificate.");
  const payee = restoreVerified(payeeCertificate, payeeBytes, context.crypto).content;
  const decision = await context.journal.decideCapture(paymentId, (latest) =>
    decideCapture(latest ?? open, amountMinor, payee),
  );
  if (decision.kind === "refused") return refused(decision.refusal);
  const { acceptance } = decision;
  return { kind: "captured", acceptance, receiptCode: await receiptCodeFor(context, acceptance) };
}

/**
 * The receipt of an accepted payment, for showing it again.
 * @throws CollectError ACCEPTANCE_UNKNOWN, NOT_CAPTURED, NOT_ENROLLED.
 */
export async function receiptCode(context: TerminalContext, paymentId: MessageId): Promise<string> {
  await context.hold();
  return receiptCodeFor(context, await acceptanceOf(context, paymentId));
}

async function acceptanceOf(context: TerminalContext, paymentId: MessageId): Promise<Acceptance> {
  const acceptance = await context.journal.acceptance(paymentId);
  if (acceptance === undefined) throw new CollectError("ACCEPTANCE_UNKNOWN", "No such payment was accepted here.");
  return acceptance;
}
