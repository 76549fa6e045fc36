import { type IssuerId, isRefusal, openPayment, payment } from "@cairn/messages";
import type { AcceptanceDecision } from "./acceptance-checks.ts";
import { decideAcceptance } from "./decide-acceptance.ts";
import { decideOpenAcceptance } from "./decide-open-acceptance.ts";
import { statusListOf } from "./issuers.ts";
import { isGuaranteed } from "./model.ts";
import { type AcceptanceOutcome, refused } from "./outcomes.ts";
import { readOffered } from "./read-offered.ts";
import type { Setup, TerminalContext } from "./setup.ts";
import { receiptCodeFor } from "./statements.ts";

/**
 * Looks at a payment code and accepts it or says why not. Spec: protocol "Paying (two-way)". "accepted" is answered
 * only after the journal holds the payment durably. The same code again is PAYMENT_REPLAYED with the earlier
 * acceptance, which is what a cashier sees after a crash in between.
 * @throws CollectError NOT_ENROLLED; whatever the journal throws when it cannot write, and then nothing is accepted.
 */
export async function accept(context: TerminalContext, codeText: string): Promise<AcceptanceOutcome> {
  const held = await context.hold();
  const offered = await readOffered(context, held, { text: codeText, type: "payment", kind: payment });
  if (isRefusal(offered)) return refused(offered);
  const { certificateId, requestHash } = offered.payment.content;
  const { crypto, policy } = context;
  const decision = await context.journal.decideAcceptance(
    { paymentId: offered.payment.messageId, certificateId, requestHash },
    (view) =>
      decideAcceptance(offered, view, {
        setup: setupFor(held.setup, offered.guestIssuerId),
        policy,
        now: offered.now,
        crypto,
      }),
  );
  return await answer(context, decision);
}

/**
 * Looks at the code of an open payment. Spec: protocol "Paying (open)". With `captureMinor`, or the policy's
 * `defaultCaptureMinor`, it is captured in the same atomic record; otherwise `capture` fixes the amount later.
 * @throws as {@link accept}
 */
export async function acceptOpen(
  context: TerminalContext,
  codeText: string,
  options: { readonly captureMinor?: bigint } = {},
): Promise<AcceptanceOutcome> {
  const held = await context.hold();
  const offered = await readOffered(context, held, { text: codeText, type: "open-payment", kind: openPayment });
  if (isRefusal(offered)) return refused(offered);
  const { policy } = context;
  const captureMinor = options.captureMinor ?? policy.defaultCaptureMinor;
  const decision = await context.journal.decideAcceptance(
    {
      paymentId: offered.payment.messageId,
      certificateId: offered.payment.content.certificateId,
      requestHash: undefined,
    },
    (view) =>
      decideOpenAcceptance(offered, view, {
        setup: setupFor(held.setup, offered.guestIssuerId),
        policy,
        now: offered.now,
        captureMinor,
      }),
  );
  return await answer(context, decision);
}

const setupFor = (setup: Setup, guestIssuerId: IssuerId | undefined) => ({
  statusList: statusListOf(setup, guestIssuerId),
  payeeCertificate: setup.payeeCertificate,
});

async function answer(context: TerminalContext, decision: AcceptanceDecision): Promise<AcceptanceOutcome> {
  if (decision.kind === "refused") return decision;
  const { acceptance } = decision;
  const receiptCode = acceptance.takenMinor === undefined ? undefined : await receiptCodeFor(context, acceptance);
  return { kind: "accepted", acceptance, guaranteed: isGuaranteed(acceptance), receiptCode };
}
