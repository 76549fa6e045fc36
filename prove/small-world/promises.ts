import { areCompatible, isBeyondClosing, type PayeeId } from "@cairn/messages";
import type { CertificateState, SettlementItem } from "@cairn/settle";
import { POLICY } from "../../packages/settle/test/world.ts";
import { itemKey } from "./bringing.ts";
import { BALANCE_MINOR, CEILING_MINOR, CREDIT_MINOR, idOf, type Shown, type Till } from "./cast.ts";
import type { Issuer } from "./issuer.ts";
import { itemOf } from "./items.ts";
import { nowOf, type Setting } from "./setting.ts";
import type { State } from "./state.ts";
import { isEvil, isHonestDevice } from "./world.ts";

/** Each begins with the number of its line in "What may never happen" (docs/spec/promises.md). */
type Broken = readonly string[];
type Claim = (holds: boolean, sentence: string) => void;

/** What is broken in a state. */
export function brokenIn(state: State, setting: Setting): Broken {
  const broken: string[] = [...booksBroken(state.issuer)];
  const claim: Claim = (holds, sentence) => {
    if (!holds) broken.push(sentence);
  };
  payers(state, setting, claim);
  losses(state, setting, claim);
  for (const till of setting.tills)
    if (!isEvil(setting.world, till.index)) broken.push(...unpaidAt(state, till, setting));
  return broken;
}

/** What is asked of the issuer's books alone is asked once of each issuer. */
const checked = new WeakMap<Issuer, Broken>();
function booksBroken(issuer: Issuer): Broken {
  const known = checked.get(issuer);
  if (known !== undefined) return known;
  const broken: string[] = [];
  books(issuer, (holds, sentence) => {
    if (!holds) broken.push(sentence);
  });
  checked.set(issuer, broken);
  return broken;
}

/** 1. Money made or lost. 2. Settled twice. */
function books(issuer: Issuer, claim: Claim): void {
  const { entries, funds, lossMinor, clearingMinor, withdrawnMinor } = issuer;
  for (const sentence of issuer.broken) claim(false, sentence);
  for (const { postings, reference } of entries)
    claim(postings.reduce((sum, { minor }) => sum + minor, 0n) === 0n, `1: ${reference} does not sum to zero`);
  const { balanceMinor, creditAvailableMinor } = funds;
  const spentMinor = BALANCE_MINOR - balanceMinor + CREDIT_MINOR - creditAvailableMinor - withdrawnMinor;
  claim(spentMinor + lossMinor === clearingMinor, "1: payees were credited what nobody paid");
  claim(balanceMinor >= 0n && creditAvailableMinor >= 0n, "1: more was spent than there was");
  claim(new Set(entries.map(({ reference }) => reference)).size === entries.length, "2: posted twice");
  for (const { payments } of issuer.states)
    for (const { paymentId, state, takenMinor } of payments) {
      const its = entries.filter(({ reference }) => reference.endsWith(paymentId));
      claim((state === "settled") === (its.length === 1), `2: ${state}, with ${its.length} entries`);
      const creditedMinor = its
        .flatMap(({ postings }) => postings)
        .reduce((sum, { ledgerAccount, minor }) => (ledgerAccount.kind === "clearing" ? sum - minor : sum), 0n);
      claim(creditedMinor === takenMinor, `2: ${takenMinor} settled and ${creditedMinor} credited`);
    }
}

/** 3. An honest payer blamed. 4. More than consented, or another payee. */
function payers(state: State, { world, tills }: Setting, claim: Claim): void {
  const isHonest = isHonestDevice(world);
  for (const { conflict } of state.issuer.states)
    claim(!isHonest || conflict === undefined, "3: an honest payer is blamed");
  const requests = state.shown.flatMap((one) => (one.kind === "payment" ? [one.asked.request.messageId] : []));
  claim(!isHonest || new Set(requests).size === requests.length, "4: one request was paid twice");
  for (const shown of state.shown) {
    if (shown.kind === "payment")
      claim(shown.payment.content.amountMinor === shown.agreed.amountMinor, "4: not as agreed");
    const known = standingOf(state, shown);
    if (known?.state !== "settled" || known.claim === undefined) continue;
    const { payeeId } = known.claim;
    const { amountMinor } = shown.payment.content;
    if (shown.kind === "payment") {
      claim(
        known.takenMinor === shown.agreed.amountMinor,
        `4: agreed to ${shown.agreed.amountMinor}, pays ${known.takenMinor}`,
      );
      claim(payeeId === shown.agreed.payeeId, "4: another payee");
    } else {
      claim(known.takenMinor <= amountMinor, `4: at most ${amountMinor}, pays ${known.takenMinor}`);
      const { audience } = shown.payment.content;
      claim(audience === undefined || audience === payeeId, "4: not for this payee");
    }
  }
  for (const till of tills) if (!isEvil(world, till.index)) givenUp(state, till, claim);
}

/** What an honest till gave up it has not accepted, and nobody else can: it stays the payer's. */
function givenUp(state: State, till: Till, claim: Claim): void {
  const its = state.tills[till.index];
  if (its === undefined || its.voided.length === 0) return;
  for (const shown of state.shown) {
    if (shown.kind !== "payment" || !its.voided.includes(shown.asked.request.messageId)) continue;
    claim(!its.accepted.some(({ paymentId }) => paymentId === idOf(shown)), "4: given up, and accepted all the same");
    claim(standingOf(state, shown)?.state !== "settled", "4: given up, and paid all the same");
  }
}

function standingOf(state: State, shown: Shown) {
  return state.issuer
    .state(shown.certificate.content.certificateId)
    .payments.find(({ paymentId }) => paymentId === idOf(shown));
}

/** 5. Loss above the bound, with an honest device, or without proof. */
function losses(state: State, setting: Setting, claim: Claim): void {
  const { issuer } = state;
  const { world, policy } = setting;
  const { lossMinor, states, funds } = issuer;
  if (isHonestDevice(world)) {
    claim(lossMinor === 0n, `5: a loss of ${lossMinor} with an honest device`);
    const promisedMinor = issuer.exposure(policy, nowOf(setting, state));
    claim(promisedMinor <= funds.balanceMinor + funds.creditAvailableMinor, `5: ${promisedMinor} promised, not there`);
  }
  const boundMinor = states.reduce((sum, one) => sum + boundOf(one, world.releasedPercent ?? 100), 0n);
  claim(lossMinor <= boundMinor, `5: a loss of ${lossMinor}, ${boundMinor} at most`);
  claim(lossMinor <= contestedWithinCeilings(states), `5: a loss of ${lossMinor} above the ceilings`);
  claim(lossMinor === 0n || states.some(({ conflict }) => conflict !== undefined), "5: a loss without proof");
}

/** (Deceived terminals - 1) x limit, and what a closing that was a lie gave back at once. */
function boundOf(state: CertificateState, releasedPercent: number): bigint {
  const settled = state.payments.filter((payment) => payment.state === "settled");
  const deceived = new Set(settled.map(({ claim }) => claim?.terminalId)).size - 1;
  const { closing, limitMinor } = state;
  const lied = closing !== undefined && settled.some((payment) => isBeyondClosing(payment, closing));
  const givenBackMinor = lied ? ((limitMinor - (closing?.spentMinor ?? 0n)) * BigInt(releasedPercent)) / 100n : 0n;
  return BigInt(Math.max(0, deceived)) * limitMinor + givenBackMinor;
}

/** Of what contradicts something credited, each payee gets no more than its ceiling. */
function contestedWithinCeilings(states: readonly CertificateState[]): bigint {
  return states.reduce((sum, { payments, closing }) => {
    const settled = payments.filter((payment) => payment.state === "settled");
    const contested = settled.filter(
      (payment) =>
        (closing !== undefined && isBeyondClosing(payment, closing)) ||
        settled.some((other) => other !== payment && !areCompatible(other, payment)),
    );
    const ofPayee = new Map<PayeeId, bigint>();
    for (const { claim, takenMinor } of contested)
      if (claim !== undefined) ofPayee.set(claim.payeeId, (ofPayee.get(claim.payeeId) ?? 0n) + takenMinor);
    return [...ofPayee.values()].reduce((total, minor) => total + (minor < CEILING_MINOR ? minor : CEILING_MINOR), sum);
  }, 0n);
}

/** 2. Accepted and never settled. 6. Accepted there, refused here. Whoever brings it, and however often. */
function unpaidAt(state: State, till: Till, setting: Setting): Broken {
  const receivedAt = nowOf(setting, state);
  return (state.tills[till.index]?.accepted ?? []).flatMap((acceptance): Broken => {
    const shown = state.shown.find((one) => idOf(one) === acceptance.paymentId);
    const { takenMinor, acceptedAt } = acceptance;
    if (shown === undefined || takenMinor === undefined) return [];
    const word = { till, acceptedAt, takenMinor };
    return (["terminal", "payer"] as const).flatMap((by) => {
      const item = itemOf(shown, { by, receivedAt, word });
      return item === undefined ? ["6: accepted, and then no record at all"] : unpaid(state.issuer, item, receivedAt);
    });
  });
}

const asked = new WeakMap<Issuer, Map<string, Broken>>();
function unpaid(issuer: Issuer, item: SettlementItem, now: number): Broken {
  let its = asked.get(issuer);
  if (its === undefined) {
    its = new Map();
    asked.set(issuer, its);
  }
  const key = `${now} ${itemKey(item)}`;
  let broken = its.get(key);
  if (broken === undefined) {
    broken = askAndAskAgain(issuer, item, now);
    its.set(key, broken);
  }
  return broken;
}

function askAndAskAgain(issuer: Issuer, item: SettlementItem, now: number): Broken {
  if (item.refusal !== undefined) return [`6: accepted, and then ${item.refusal.code}`];
  const { issuer: first, outcomes } = issuer.settle([item], now);
  const [outcome] = outcomes;
  if (outcome === undefined) return ["2: no answer"];
  const { state, code, takenMinor } = outcome;
  if (code === "CERTIFICATE_REVOKED")
    return ["6: accepted on a list that was fresh enough, and then CERTIFICATE_REVOKED"];
  if (!isPaidOrHeldByRule(first, item, { state, code }, now)) return [`2: accepted, and then ${state} ${code ?? ""}`];
  if (state === "settled" && takenMinor !== item.payeeWord?.takenMinor)
    return [`2: ${takenMinor} instead of what was taken`];
  const { issuer: second, outcomes: again } = first.settle([item], now);
  const isSame = again[0]?.repeated === true && again[0].state === state && second.key === first.key;
  return isSame ? [] : ["2: brought again, it is judged again"];
}

/** The rules that a payee knows beforehand (docs/spec/promises.md). */
function isPaidOrHeldByRule(
  issuer: Issuer,
  item: SettlementItem,
  { state, code }: { readonly state: string; readonly code: string | undefined },
  now: number,
): boolean {
  if (state === "settled") return true;
  if (state !== "held") return false;
  const certificate = issuer.state(item.certificateId);
  switch (code) {
    case "UPLOAD_TOO_LATE":
      return now > certificate.expiresAt + POLICY.uploadDeadlineSeconds;
    case "OPEN_PAYMENT_CAPTURED_ELSEWHERE":
      return item.kind === "open-payment";
    case "PAYEE_CEILING_REACHED":
      return contradictsCredited(certificate, item);
    default:
      return false;
  }
}

function contradictsCredited({ payments, closing }: CertificateState, item: SettlementItem): boolean {
  const isBeyond = closing !== undefined && isBeyondClosing(item, closing);
  return isBeyond || payments.some((payment) => payment.state === "settled" && !areCompatible(payment, item));
}
