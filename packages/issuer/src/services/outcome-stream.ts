import { setTimeout } from "node:timers/promises";
import type { MessageId } from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import type { PaymentOutcomeText } from "../api/device-api.ts";
import type { Caller } from "./callers.ts";
import { outcomesFor } from "./outcomes.ts";

const LOOK_EVERY_MS = 250;
/** Then the caller asks anew: no call is for ever, and a caller that has gone is noticed. */
const LOOKS = 180;
/** Silence that proxies and sockets take for a dead connection is longer. */
const LOOKS_WITHOUT_A_WORD = 40;

/** `changed`: told for the first time, or otherwise than before. Empty as a sign of life. `open`: those that can still change. */
export type OutcomeNews = { readonly changed: readonly PaymentOutcomeText[]; readonly open: number };

/**
 * What becomes of payments, as it happens: each outcome at once and whenever it changes, until all of them are final, the
 * signal comes, or the time of one call is over.
 */
export async function* outcomeNews(
  asked: { readonly paymentIds: readonly MessageId[]; readonly caller: Caller },
  context: { readonly store: IssuerStore; readonly signal: AbortSignal },
): AsyncGenerator<OutcomeNews> {
  const told = new Map<MessageId, string>();
  let open = asked.paymentIds;
  let silentLooks = 0;
  for (let look = 0; look < LOOKS && open.length > 0 && !context.signal.aborted; look++) {
    if (look > 0) await setTimeout(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
    const outcomes = await outcomesFor(open, asked.caller, context.store);
    const changed = outcomes.filter((outcome) => told.get(outcome.paymentId) !== standing(outcome));
    for (const outcome of changed) told.set(outcome.paymentId, standing(outcome));
    open = outcomes.filter(canChange).map(({ paymentId }) => paymentId);
    silentLooks = changed.length > 0 ? 0 : silentLooks + 1;
    if (changed.length > 0 || silentLooks % LOOKS_WITHOUT_A_WORD === 0) yield { changed, open: open.length };
  }
}

const standing = ({ state, code }: PaymentOutcomeText): string => `${state} ${code}`;

const CHANGING: ReadonlySet<string> = new Set(["unknown", "received", "pending", "held"]);
const canChange = ({ state }: PaymentOutcomeText): boolean => CHANGING.has(state);
