import { CLOCK_SKEW_SECONDS, payment, prepareMessage } from "@cairn/messages";
import type { Refused } from "./codes.ts";
import { type Consent, decidePayment, type PaymentView } from "./decide-payment.ts";
import { draftOf } from "./draft.ts";
import type { WalletPorts } from "./ports.ts";
import type { RequestReview } from "./review-request.ts";
import { releasePayment, type ShownPayment } from "./show-payment.ts";
import { commitWallet, type Wallet } from "./wallet.ts";
import type { Decision, StoredPayment } from "./wallet-store.ts";

export type Paid = ShownPayment & {
  /** The request was answered before: this is that payment again. */ readonly repeated: boolean;
};

/**
 * Pays a request that was reviewed and agreed to. Decides and makes counter and payment durable as one record; then
 * signs; then shows. After a crash anywhere, the same call gives the same payment. Paying one request twice gives the
 * same payment twice.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function pay(
  ports: WalletPorts,
  input: { readonly review: RequestReview; readonly consent: Consent },
): Promise<Paid | Refused> {
  const { requestId } = input.review;
  const decided = await commitWallet(ports, { kind: "of-request", requestId }, (wallet) =>
    decideOnWallet(wallet, input, ports),
  );
  if (decided.kind === "refused") return decided;
  const { shown } = await releasePayment(ports, decided.payment);
  return { ...shown, repeated: decided.repeated };
}

type Durable = { readonly kind: "durable"; readonly payment: StoredPayment; readonly repeated: boolean };

function decideOnWallet(
  wallet: Wallet,
  { review, consent }: { readonly review: RequestReview; readonly consent: Consent },
  { crypto }: WalletPorts,
): Decision<Durable | Refused> {
  const { request, requestId, payeeCertificate } = review;
  const { now } = wallet;
  const decision = decidePayment(viewOf(wallet), {
    request: request.content,
    requestId,
    payeeCertificate: payeeCertificate.content,
    consent,
    now,
  });
  if (decision.kind === "refused") return { result: decision, writes: [] };
  if (decision.kind === "repeat") {
    const [earlier] = wallet.payments;
    if (earlier === undefined) throw new TypeError("A payment is repeated that is not there.");
    return { result: { kind: "durable", payment: earlier, repeated: true }, writes: [] };
  }
  const prepared = prepareMessage(payment, decision.content, crypto);
  const { certificateId, sequence, amountMinor, spentMinor } = decision.content;
  const durable: StoredPayment = {
    paymentId: prepared.messageId,
    kind: "payment",
    certificateId,
    sequence,
    amountMinor,
    spentMinor,
    preparedAt: now,
    requestId,
    draft: draftOf(prepared),
    signed: undefined,
    shown: false,
    request: request.bytes,
    payeeCertificate: payeeCertificate.bytes,
    receipt: undefined,
    requestVoid: undefined,
    outcome: undefined,
  };
  // A payee's clock may run ahead by the allowed skew; taking that off keeps a wrong one from pushing ours forward.
  const newestSeen = request.content.issuedAt - CLOCK_SKEW_SECONDS;
  return {
    result: { kind: "durable", payment: durable, repeated: false },
    writes: [
      { kind: "payment", payment: durable },
      { kind: "newest-seen", newestSeen },
    ],
  };
}

function viewOf({ held, payments }: Wallet): PaymentView {
  const [earlier] = payments;
  if (earlier === undefined) return { held, earlier: undefined };
  const { paymentId, requestVoid, outcome } = earlier;
  return {
    held,
    earlier: { paymentId, voided: requestVoid !== undefined, released: outcome?.state === "released" },
  };
}
