import { type OpenPayment, refuseOpenPayment } from "@cairn/messages";
import {
  type AcceptanceTerms,
  accepting,
  type DecidedAcceptance,
  type Offered,
  offeredPart,
  refuseByJournal,
  refuseByStatusList,
  replayOf,
  riskOf,
  turningAway,
} from "./acceptance-checks.ts";
import { refuseCapturedAmount } from "./decide-capture.ts";
import type { AcceptanceView } from "./journal.ts";

/**
 * Whether a genuine open payment is accepted, for `captureMinor` at once or up to its maximum until it is captured.
 * Pure. In order of precedence: replay; withdrawn certificate; stale status list; the rules that the server applies
 * too; the amount to capture; the journal's newest payment of the certificate; the ceiling of what may be stored.
 */
export function decideOpenAcceptance(
  offered: Offered<OpenPayment>,
  view: AcceptanceView,
  terms: AcceptanceTerms & { readonly captureMinor: bigint | undefined },
): DecidedAcceptance {
  if (view.earlier !== undefined) return replayOf(view.earlier);
  const { now, captureMinor } = terms;
  const payee = terms.setup.payeeCertificate.content;
  const certificate = offered.certificate.content;
  const link = offered.payment.content;
  const against =
    refuseByStatusList(certificate, payee, terms) ??
    refuseOpenPayment({ certificate, payment: link, payeeCertificate: payee }, now) ??
    (captureMinor === undefined ? undefined : refuseCapturedAmount(captureMinor, link.amountMinor, payee)) ??
    refuseByJournal(link, view, terms);
  if (against !== undefined) return turningAway(offered, against, view, { kind: "open-payment", now });

  return accepting(offered, {
    ...offeredPart(offered),
    kind: "open-payment",
    payeeCertificateId: payee.payeeCertificateId,
    requestId: undefined,
    acceptedAt: now,
    risk: riskOf(captureMinor ?? link.amountMinor, payee, view, terms),
    takenMinor: captureMinor,
    capture: undefined,
    answer: undefined,
  });
}
