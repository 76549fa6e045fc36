import { type MessageId, requestHashOf } from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { Step } from "./breadth-first.ts";
import { idOf, type Shown, type Till } from "./cast.ts";
import type { Issuer } from "./issuer.ts";
import { itemOf, type Word } from "./items.ts";
import { nowOf, type Setting, step } from "./setting.ts";
import type { State } from "./state.ts";
import { isEvil } from "./world.ts";

type Steps = readonly Step<State>[];

/** Settles what is brought. */
export function bringing(state: State, items: readonly SettlementItem[], says: string, setting: Setting): Steps {
  const issuer = setting.issuers.one(settled(state.issuer, items, nowOf(setting, state)));
  return issuer === state.issuer ? [] : [step(state, says, { issuer })];
}

const answers = new WeakMap<Issuer, Map<string, Issuer>>();
/** The same question to the same issuer at the same time has the same answer: asked once. */
function settled(issuer: Issuer, items: readonly SettlementItem[], now: number): Issuer {
  let its = answers.get(issuer);
  if (its === undefined) {
    its = new Map();
    answers.set(issuer, its);
  }
  const key = `${now} ${items.map(itemKey).join(" ")}`;
  let after = its.get(key);
  if (after === undefined) {
    after = issuer.settle(items, now).issuer;
    its.set(key, after);
  }
  return after;
}

export function itemKey({ paymentId, broughtBy, payeeWord: word, voided, refusal }: SettlementItem): string {
  const claim = word === undefined ? "" : `${word.terminalId}${word.takenMinor}@${word.acceptedAt}`;
  return `${paymentId.slice(0, 12)}${broughtBy}${claim}${voided}${refusal?.code ?? ""}`;
}

/** The payer brings its own copies, with what it has of the payee: receipts of what was accepted, voids. */
export function payersCopies(state: State, setting: Setting): Steps {
  const receivedAt = nowOf(setting, state);
  return state.shown.flatMap((shown, index) => {
    const says = `the payer brings payment ${index}`;
    const bring = (brought: Parameters<typeof itemOf>[1], how: string): Steps => {
      const item = itemOf(shown, brought);
      return item === undefined ? [] : bringing(state, [item], `${says}${how}`, setting);
    };
    const receipts = setting.world.receipts ? receiptsFor(state, shown, setting) : [];
    return [
      ...bring({ by: "payer", receivedAt }, ""),
      ...receipts.flatMap((word) =>
        bring({ by: "payer", receivedAt, word }, ` with the receipt of till ${word.till.index} for ${word.takenMinor}`),
      ),
      ...(isVoided(state, shown) ? bring({ by: "payer", receivedAt, voided: true }, " with the void") : []),
    ];
  });
}

const isVoided = (state: State, shown: Shown): boolean =>
  shown.kind === "payment" &&
  (state.tills[shown.asked.till.index]?.voided.includes(shown.asked.request.messageId) ?? false);

/** Whoever accepted gives one; the evil till to anybody. */
function receiptsFor(state: State, shown: Shown, { tills, world, times }: Setting): readonly Word[] {
  return tills.flatMap((till: Till): Word[] => {
    const acceptance = state.tills[till.index]?.accepted.find(({ paymentId }) => paymentId === idOf(shown));
    if (acceptance?.takenMinor !== undefined)
      return [{ till, acceptedAt: acceptance.acceptedAt, takenMinor: acceptance.takenMinor }];
    if (!isEvil(world, till.index)) return [];
    if (shown.kind === "payment" && shown.asked.till !== till) return [];
    return [{ till, acceptedAt: times[state.now] ?? 0, takenMinor: shown.payment.content.amountMinor }];
  });
}

/** Whether the issuer has the void of this request. */
export function issuerKnows(state: State, { voided }: { readonly voided: MessageId }): boolean {
  return state.issuer.hasVoid(requestHashOf(voided));
}
