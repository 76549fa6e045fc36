import type { MessageId } from "@cairn/messages";
import type { WalletPorts } from "./ports.ts";
import { commitWallet } from "./wallet.ts";
import type { PaymentOutcome, StoredPayment, WalletWrite } from "./wallet-store.ts";

/** What the server says of a payment, in an answer to a sync or a question for outcomes. */
export type OfferedOutcome = {
  readonly paymentId: MessageId;
  readonly state: PaymentOutcome["state"] | "received" | "unknown";
  readonly code: string | null;
  readonly sentence: string;
  readonly takenMinor: bigint;
};

/**
 * What a wallet keeps of two answers on one payment. Answers can overtake each other: settled and refused are the
 * server's last word, and pending never comes after another one. A payment that was given back can still be held, when
 * its payee uploads after all.
 */
export function mergeOutcome(held: PaymentOutcome | undefined, offered: PaymentOutcome): PaymentOutcome {
  if (held === undefined) return offered;
  if (held.state === "settled" || held.state === "refused") return held;
  if (offered.state === "pending" && held.state !== "pending") return held;
  return offered;
}

/** The writes for a list of answers; payments that are not ours, and answers that say nothing, are passed over. */
export function outcomeWrites(
  payments: readonly StoredPayment[],
  offered: readonly OfferedOutcome[],
  now: number,
): readonly WalletWrite[] {
  const byId = new Map(payments.map((durable) => [durable.paymentId, durable]));
  return offered.flatMap((each): WalletWrite[] => {
    const durable = byId.get(each.paymentId);
    const outcome = outcomeOf(each, now);
    if (durable === undefined || outcome === undefined) return [];
    const merged = mergeOutcome(durable.outcome, outcome);
    return merged === durable.outcome ? [] : [{ kind: "outcome", paymentId: each.paymentId, outcome: merged }];
  });
}

/**
 * Keeps answers to a question for outcomes.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function applyOutcomes(ports: WalletPorts, offered: readonly OfferedOutcome[]): Promise<void> {
  const paymentIds = offered.map(({ paymentId }) => paymentId);
  await commitWallet(ports, { kind: "ids", paymentIds }, ({ payments, now }) => ({
    result: undefined,
    writes: outcomeWrites(payments, offered, now),
  }));
}

function outcomeOf(offered: OfferedOutcome, now: number): PaymentOutcome | undefined {
  const { state, code, sentence, takenMinor } = offered;
  if (state === "unknown") return undefined;
  // Received is on its way to a decision: to the payer that is pending.
  return {
    state: state === "received" ? "pending" : state,
    code: code ?? undefined,
    sentence,
    takenMinor,
    heardAt: now,
  };
}
