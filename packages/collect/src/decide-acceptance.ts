import type { CryptoPort } from "@cairn/cose";
import {
  type PayeeCertificate,
  type Payment,
  payeeCertificate,
  paymentRequest,
  type Refusal,
  refusal,
  refuseTwoWayPayment,
  restoreVerified,
} from "@cairn/messages";
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
import type { AcceptanceView } from "./journal.ts";
import type { RequestRecord } from "./model.ts";

/**
 * Whether a genuine two-way payment is accepted. Pure. In order of precedence: replay; withdrawn certificate; stale
 * status list; the terminal's own request (unknown, voided, expired, paid by another payment); the rules that the
 * server applies too; the journal's newest payment of the certificate; the ceiling of what may be stored.
 * `crypto` is used for hashing alone.
 */
export function decideAcceptance(
  offered: Offered<Payment>,
  view: AcceptanceView,
  terms: AcceptanceTerms & { readonly crypto: CryptoPort },
): DecidedAcceptance {
  if (view.earlier !== undefined) return replayOf(view.earlier);
  const { now } = terms;
  const link = offered.payment.content;
  const asked = view.request === undefined ? undefined : restoreAsked(view.request, terms.crypto);
  // Request and payment are judged under the payee certificate that the request was made under, as the server will.
  const payee = asked?.payee ?? terms.setup.payeeCertificate.content;
  const withdrawn = refuseByStatusList(offered.certificate.content, payee, terms);
  if (withdrawn !== undefined) return turnAway(withdrawn);
  if (asked === undefined) return turnAway(refusal("REQUEST_UNKNOWN"));

  const against =
    refuseAsked(asked, now) ??
    refuseTwoWayPayment({
      certificate: offered.certificate.content,
      payment: link,
      payeeCertificate: payee,
      request: asked.request,
      requestId: asked.record.requestId,
    }) ??
    refuseByJournal(link, view, terms);
  if (against !== undefined) return turnAway(against);

  return accepting(offered, {
    ...offeredPart(offered),
    kind: "payment",
    payeeCertificateId: payee.payeeCertificateId,
    requestId: asked.record.requestId,
    acceptedAt: now,
    risk: riskOf(link.amountMinor, payee, view, terms),
    takenMinor: link.amountMinor,
    capture: undefined,
    answer: undefined,
  });

  function turnAway(why: Refusal): DecidedAcceptance {
    return turningAway(offered, why, view, { kind: "payment", now });
  }
}

type Asked = ReturnType<typeof restoreAsked>;

function restoreAsked(record: RequestRecord, crypto: CryptoPort) {
  const payee: PayeeCertificate = restoreVerified(payeeCertificate, record.payeeCertificate, crypto).content;
  return { record, payee, request: restoreVerified(paymentRequest, record.request, crypto).content };
}

function refuseAsked({ record, request }: Asked, now: number): Refusal | undefined {
  if (record.voidedAt !== undefined) return refusal("REQUEST_VOIDED");
  if (request.expiresAt < now) return refusal("REQUEST_EXPIRED");
  return record.paidBy === undefined ? undefined : refusal("REQUEST_ALREADY_PAID");
}
