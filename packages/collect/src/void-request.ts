import { type MessageId, writeCode } from "@cairn/messages";
import { decideVoid } from "./decide-void.ts";
import { refused, type VoidOutcome } from "./outcomes.ts";
import type { TerminalContext } from "./setup.ts";
import { voidFor } from "./statements.ts";

/**
 * Gives a request up for good. Spec: protocol "Giving up on a payment". The journal says so first; only then does the
 * signed void exist, and no payment for the request is accepted any more. Refused: REQUEST_UNKNOWN,
 * REQUEST_ALREADY_PAID.
 * @throws CollectError NOT_ENROLLED
 */
export async function voidRequest(context: TerminalContext, requestId: MessageId): Promise<VoidOutcome> {
  const { now } = await context.hold();
  const decision = await context.journal.decideVoid(requestId, (request) => decideVoid(request, now));
  if (decision.kind === "refused") return refused(decision.refusal);
  const { request, voidedAt } = decision;
  const message = await voidFor(context, request, voidedAt);
  const codeText = writeCode({ type: "void", certificate: request.payeeCertificate, message });
  return { kind: "voided", requestId, voidedAt, codeText };
}
