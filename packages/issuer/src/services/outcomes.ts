import type { MessageId } from "@cairn/messages";
import type { IssuerStore, OutcomeViewer, StoredOutcome } from "@cairn/stores";
import type { PaymentOutcomeText } from "../api/device-api.ts";
import type { Caller } from "./callers.ts";

const UNKNOWN_SENTENCE = "Nothing is known of this payment here.";

/**
 * What became of payments, for the one who asks: a terminal hears of its payee's claims, a wallet of its account's
 * payments. Of anybody else's, and of those that never came, nobody learns anything.
 */
export async function outcomesFor(
  paymentIds: readonly MessageId[],
  caller: Caller,
  store: IssuerStore,
): Promise<readonly PaymentOutcomeText[]> {
  const known = new Map<MessageId, StoredOutcome>();
  for (const outcome of await store.outcomes(paymentIds, viewerOf(caller))) known.set(outcome.paymentId, outcome);
  return paymentIds.map((paymentId) => {
    const outcome = known.get(paymentId);
    return outcome === undefined ? unknown(paymentId) : outcomeText(outcome);
  });
}

export function outcomeText(outcome: StoredOutcome): PaymentOutcomeText {
  const { paymentId, state, code, sentence, takenMinor, currency } = outcome;
  return {
    paymentId,
    state,
    code: code ?? null,
    sentence,
    takenMinor: takenMinor.toString(),
    currency: currency ?? null,
  };
}

function viewerOf(caller: Caller): OutcomeViewer {
  if (caller.kind === "device") return { account: caller.device.account };
  const { payeeId, terminalId } = caller.terminal;
  return { payeeId, terminalId };
}

function unknown(paymentId: MessageId): PaymentOutcomeText {
  return { paymentId, state: "unknown", code: null, sentence: UNKNOWN_SENTENCE, takenMinor: "0", currency: null };
}
