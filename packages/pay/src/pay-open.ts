import { type Amount, decodeMessage, openPayment, type PayeeId, prepareMessage } from "@cairn/messages";
import { PayError, type Refused } from "./codes.ts";
import { decideOpenPayment, type OpenPaymentView, type OpenPaymentWanted } from "./decide-open-payment.ts";
import { draftOf } from "./draft.ts";
import type { WalletPorts } from "./ports.ts";
import { releasePayment, type ShownPayment } from "./show-payment.ts";
import { commitWallet, type Wallet } from "./wallet.ts";
import type { Decision, StoredPayment } from "./wallet-store.ts";

export type PaidOpen = ShownPayment & { /** Seconds since 1970. */ readonly expiresAt: number };

/** Spec: "about a minute". */
export const DEFAULT_OPEN_PAYMENT_VALIDITY_SECONDS = 60;

export type OpenPaymentInput = {
  /** Most that a payee can capture; all of it counts as spent until the next certificate. */
  readonly maximum: Amount;
  /** Who alone can capture it. Without one, whoever scans the code first. */
  readonly audience?: PayeeId;
  readonly validitySeconds?: number;
};

/**
 * Makes and shows an open payment. Each call makes a new one, except that one interrupted before it was shown, of the
 * same maximum, audience and validity and not yet expired, is shown instead. Two callers never show the same one.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS, PAY_ARGUMENT_RANGE for a validity that is not a whole number
 *   above zero.
 */
export async function payOpen(ports: WalletPorts, input: OpenPaymentInput): Promise<PaidOpen | Refused> {
  const validitySeconds = input.validitySeconds ?? DEFAULT_OPEN_PAYMENT_VALIDITY_SECONDS;
  if (!Number.isInteger(validitySeconds) || validitySeconds < 1)
    throw new PayError("PAY_ARGUMENT_RANGE", "A validity is a whole number of seconds above zero.");
  const wish = { maximum: input.maximum, audience: input.audience, validitySeconds };
  for (;;) {
    const decided = await commitWallet(ports, { kind: "unshown-open" }, (wallet) =>
      decideOnWallet(wallet, wish, ports),
    );
    if (decided.kind === "refused") return decided;
    const { shown, firstTime } = await releasePayment(ports, decided.payment);
    // Another caller was faster with the one we took up: it goes to another gate, so ours must be another payment.
    if (firstTime) return { ...shown, expiresAt: decided.expiresAt };
  }
}

type Durable = { readonly kind: "durable"; readonly payment: StoredPayment; readonly expiresAt: number };

function decideOnWallet(
  wallet: Wallet,
  wish: Omit<OpenPaymentWanted, "now">,
  { crypto }: WalletPorts,
): Decision<Durable | Refused> {
  const { now } = wallet;
  const decision = decideOpenPayment(viewOf(wallet, crypto), { ...wish, now });
  if (decision.kind === "refused") return { result: decision, writes: [] };
  if (decision.kind === "resume") {
    const { paymentId, expiresAt } = decision;
    const unshown = wallet.payments.find((each) => each.paymentId === paymentId);
    if (unshown === undefined) throw new TypeError("A payment is taken up that is not there.");
    return { result: { kind: "durable", payment: unshown, expiresAt }, writes: [] };
  }
  const prepared = prepareMessage(openPayment, decision.content, crypto);
  const { certificateId, sequence, amountMinor, spentMinor, expiresAt } = decision.content;
  const durable: StoredPayment = {
    paymentId: prepared.messageId,
    kind: "open-payment",
    certificateId,
    sequence,
    amountMinor,
    spentMinor,
    preparedAt: now,
    requestId: undefined,
    draft: draftOf(prepared),
    signed: undefined,
    shown: false,
    request: undefined,
    payeeCertificate: undefined,
    receipt: undefined,
    requestVoid: undefined,
    outcome: undefined,
  };
  return {
    result: { kind: "durable", payment: durable, expiresAt },
    writes: [{ kind: "payment", payment: durable }],
  };
}

function viewOf({ held, payments }: Wallet, crypto: WalletPorts["crypto"]): OpenPaymentView {
  const unshown = payments.map(({ paymentId, draft }) => ({
    paymentId,
    content: decodeMessage(openPayment, draft, crypto).unverified,
  }));
  return { held, unshown };
}
