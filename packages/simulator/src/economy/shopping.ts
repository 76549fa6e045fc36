import type { AcceptanceOutcome } from "@cairn/collect";
import { amount, type MessageId, type PayeeId } from "@cairn/messages";
import {
  acceptReceipt,
  acceptVoid,
  type Consent,
  consentTo,
  pay,
  payOpen,
  type RequestReview,
  reviewRequest,
} from "@cairn/pay";
import { perform, wait } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import { type Codes, uploadOverMaximum, uploadVoided, voidSettled } from "./evil-payees.ts";
import { DAY_MS } from "./plan.ts";
import { perhapsBringBack } from "./refunds.ts";
import { CURRENCY, type World } from "./world.ts";

/** What people do at a till, whatever their devices do meanwhile. */

const TRIES = 3;
/** A phone or till that has just died is tried again after this. */
const PATIENCE_MS = 45_000;
const GIVES_UP = 0.02;
/** Whose device died loses patience as often. */
const LEAVES = 0.3;
/** The same code is scanned or shown twice within seconds, by mistake or not. */
const AGAIN = 0.04;
/** A cashier presses "void" after the payment is in. */
const VOIDS_PAID = 0.02;
const TAKES_NO_RECEIPT = 0.2;
/** The phone finds a network at the very moment, and its app brings and closes what is due. */
const SYNCS_MEANWHILE = 0.05;
/** About as many as a payment takes. */
const MOST_STEPS_AHEAD = 60;
/** A gate counts more zones than its passenger allowed. */
const WRONG_FARE = 0.03;
/** The fare is fixed where the passenger gets off. */
const FARE_LATER = 0.3;
const LONGEST_RIDE_MS = 3 * 3_600_000;
/** A payee takes more than the maximum, or gives up what it was paid for. */
const TAKES_MORE = 0.02;
const GIVES_UP_SETTLED = 0.01;
/** An app asks its owner one thing and the wallet another. */
const ASKS_WRONGLY = 0.02;
/** Shown codes that a photographer keeps. */
const PHOTOGRAPHS = 32;

export function wordOf(outcome: AcceptanceOutcome | undefined): string {
  if (outcome === undefined) return "it is down";
  return outcome.kind === "accepted" ? "it accepts" : `it refuses, ${outcome.refusal.code}`;
}

export type Photograph = { readonly codeText: string; readonly terminal: SimulatedTerminal; readonly isOpen: boolean };

export class Shopping {
  readonly #world: World;
  readonly photographs: Photograph[] = [];
  refusals = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A purchase with a request: asked, agreed, paid, accepted, receipted. */
  async purchase(wallet: SimulatedWallet, terminal: SimulatedTerminal, amountMinor: bigint): Promise<void> {
    const world = this.#world;
    const { kernel, truth } = world;
    const { random } = kernel.cause;
    const asked = await perform(world, terminal.node, 300, async () => {
      const outcome = await terminal.app.charge({ amount: amount(amountMinor, CURRENCY) });
      if (outcome.kind === "requested")
        truth.asked(outcome.requestId, { payeeId: terminal.payeeId, terminal: terminal.name, amountMinor });
      return outcome;
    });
    if (asked === undefined) return;
    if (asked.kind === "refused") return this.#refused(terminal.name, asked.refusal.code);
    if (random.chance(GIVES_UP)) return this.#giveUp(wallet, terminal, asked.requestId, asked.codeText);
    for (let tried = 0; tried < TRIES; tried += 1) {
      const shown = await perform(world, wallet.node, 1_000 + random.below(4_000), () =>
        random.chance(SYNCS_MEANWHILE)
          ? this.#payWhileSyncing(wallet, asked.codeText)
          : this.pay(wallet, asked.codeText),
      );
      if (shown === "refused") return;
      if (shown === undefined) {
        if (random.chance(LEAVES)) return;
        await wait(world, PATIENCE_MS);
        continue;
      }
      this.#photograph({ codeText: shown, terminal, isOpen: false });
      if (world.fate.strikes("replays", AGAIN)) await this.#payAgain(wallet, terminal, asked.codeText);
      const outcome = await perform(world, terminal.node, 800, () => terminal.app.accept(shown));
      if (outcome === undefined) {
        await wait(world, PATIENCE_MS);
        continue;
      }
      await this.#answered(wallet, terminal, outcome);
      if (world.fate.strikes("replays", AGAIN)) await this.#showAgain({ codeText: shown, terminal, isOpen: false });
      if (random.chance(VOIDS_PAID)) await this.#void(wallet, terminal, asked.requestId);
      if (outcome.kind === "accepted" && world.fate.strikes("colluding-payees", GIVES_UP_SETTLED))
        this.#voidLater(wallet, terminal, { request: asked.codeText, payment: shown });
      return;
    }
  }

  /** The payer scans the request once more, or a friend pays it as well. */
  async #payAgain(wallet: SimulatedWallet, terminal: SimulatedTerminal, codeText: string): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const payer = random.chance(0.5) ? wallet : random.pick([...world.wallets.values()]);
    const shown = await perform(world, payer.node, 2_000, () => this.pay(payer, codeText));
    if (shown === undefined || shown === "refused") return;
    const outcome = await perform(world, terminal.node, 800, () => terminal.app.accept(shown));
    if (outcome !== undefined) await this.#answered(payer, terminal, outcome);
  }

  /** A code that was just shown, at the same till and at another. */
  async #showAgain({ codeText, terminal, isOpen }: Photograph): Promise<void> {
    const world = this.#world;
    const other = world.kernel.cause.random.pick(world.terminals);
    for (const at of [terminal, other]) {
      const outcome = await perform(world, at.node, 2_000, () =>
        isOpen ? at.app.acceptOpen(codeText, { captureMinor: 100n }) : at.app.accept(codeText),
      );
      world.tell(() => `the same code is shown to ${at.name}: ${wordOf(outcome)}`);
    }
  }

  /** At a gate: the payer's code first, the gate fixes the fare. */
  async ride(wallet: SimulatedWallet, terminal: SimulatedTerminal, maximumMinor: bigint): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const audience: { readonly audience?: PayeeId } = random.chance(0.5) ? { audience: terminal.payeeId } : {};
    const fareMinor = random.chance(WRONG_FARE)
      ? maximumMinor + 1n
      : maximumMinor - BigInt(random.below(Number(maximumMinor)));
    const shown = await perform(world, wallet.node, 500, async () => {
      const paid = await payOpen(wallet.ports, { maximum: amount(maximumMinor, CURRENCY), ...audience });
      if (paid.kind === "refused") return this.#refused(wallet.name, paid.refusal.code);
      world.truth.madeOut(paid.paymentId, audience.audience);
      world.tell(() => `${wallet.name} shows ${terminal.name} an open payment of at most ${money(maximumMinor)}`);
      return paid.codeText;
    });
    if (shown === undefined) return;
    const photograph = { codeText: shown, terminal, isOpen: true };
    this.#photograph(photograph);
    if (world.fate.strikes("colluding-payees", TAKES_MORE)) {
      await perform(world, terminal.node, 400, () => uploadOverMaximum(world, terminal, { shown, maximumMinor }));
      return;
    }
    const isLater = random.chance(FARE_LATER);
    const outcome = await perform(world, terminal.node, 400, () =>
      terminal.app.acceptOpen(shown, isLater ? {} : { captureMinor: fareMinor }),
    );
    if (outcome !== undefined) await this.#answered(wallet, terminal, outcome);
    if (isLater && outcome?.kind === "accepted")
      this.#captureLater(terminal, outcome.acceptance.paymentId, { fareMinor, maximumMinor });
    if (world.fate.strikes("replays", AGAIN * 3)) await this.#showAgain(photograph);
  }

  /** A fare that is refused is more than was allowed: then the gate takes what was. */
  #captureLater(
    terminal: SimulatedTerminal,
    paymentId: MessageId,
    { fareMinor, maximumMinor }: { readonly fareMinor: bigint; readonly maximumMinor: bigint },
  ): void {
    const world = this.#world;
    world.kernel.after(world.kernel.cause.random.below(LONGEST_RIDE_MS), undefined, async () => {
      for (const minor of [fareMinor, maximumMinor]) {
        const outcome = await perform(world, terminal.node, 0, () => terminal.app.capture(paymentId, minor));
        if (outcome?.kind !== "refused") {
          if (outcome !== undefined) world.tell(() => `${terminal.name} fixes a fare at ${money(minor)}`);
          return;
        }
        this.#refused(terminal.name, outcome.refusal.code);
      }
    });
  }

  /** Reviews a request, agrees to what it says, and pays. */
  async pay(wallet: SimulatedWallet, codeText: string): Promise<string | "refused"> {
    const world = this.#world;
    const review = await reviewRequest(wallet.ports, codeText);
    if (review.kind === "refused") return this.#refused(wallet.name, review.refusal.code) ?? "refused";
    const consent = consentTo(review);
    if (world.fate.strikes("mistaken-apps", ASKS_WRONGLY)) await this.#payWronglyAsked(wallet, review);
    world.truth.consented(wallet, consent);
    const paid = await pay(wallet.ports, { review, consent });
    if (paid.kind === "refused") return this.#refused(wallet.name, paid.refusal.code) ?? "refused";
    world.tell(() => {
      const made = world.truth.payments.get(paid.paymentId);
      return `${wallet.name} pays ${money(paid.amount.minor)} to ${review.payeeName} (${made?.position ?? "?"})${paid.repeated ? ", again the same payment" : ""}`;
    });
    return paid.codeText;
  }

  /** What the owner agrees to is not what the wallet is to sign, which must refuse. */
  async #payWronglyAsked(wallet: SimulatedWallet, review: RequestReview): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const right = consentTo(review);
    const shown: Consent = random.chance(0.5)
      ? { ...right, amountMinor: right.amountMinor + (random.chance(0.5) ? 1n : -1n) }
      : { ...right, payeeId: random.pick(world.terminals).payeeId };
    if (shown.amountMinor === right.amountMinor && shown.payeeId === right.payeeId) return;
    world.tell(
      () => `the app of ${wallet.name} asks for ${money(shown.amountMinor)} to ${shown.payeeId}, and not what is due`,
    );
    world.truth.consented(wallet, shown);
    const paid = await pay(wallet.ports, { review, consent: shown });
    if (paid.kind === "refused") this.#refused(wallet.name, paid.refusal.code);
  }

  /** Payment and sync at once, the payment some steps ahead: a program's two tasks take turns at every `await`. */
  async #payWhileSyncing(wallet: SimulatedWallet, codeText: string): Promise<string | "refused"> {
    const { random } = this.#world.kernel.cause;
    const closesAll = random.chance(0.5);
    const stepsAhead = random.below(MOST_STEPS_AHEAD);
    const paying = this.pay(wallet, codeText);
    for (let step = 0; step < stepsAhead; step += 1) await undefined;
    const [shown] = await Promise.all([paying, wallet.sync(closesAll)]);
    return shown;
  }

  async #answered(wallet: SimulatedWallet, terminal: SimulatedTerminal, outcome: AcceptanceOutcome): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    if (outcome.kind === "refused") {
      this.#refused(terminal.name, outcome.refusal.code);
      return;
    }
    const { receiptCode, acceptance } = outcome;
    world.tell(
      () => `${terminal.name} accepts ${money(acceptance.takenMinor ?? acceptance.amountMinor)} from ${wallet.name}`,
    );
    const { paymentId, takenMinor } = acceptance;
    if (takenMinor !== undefined) perhapsBringBack(world, { wallet, terminal, paymentId, takenMinor });
    if (receiptCode === undefined || random.chance(TAKES_NO_RECEIPT)) return;
    await perform(world, wallet.node, 600, async () => void (await acceptReceipt(wallet.ports, receiptCode)));
  }

  /** The payer walks away, before or after the phone has paid: the till voids the request. */
  async #giveUp(
    wallet: SimulatedWallet,
    terminal: SimulatedTerminal,
    requestId: MessageId,
    codeText: string,
  ): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const shown = random.chance(0.7)
      ? await perform(world, wallet.node, 2_000, () => this.pay(wallet, codeText))
      : undefined;
    if (!(await this.#void(wallet, terminal, requestId))) return;
    if (shown === undefined || shown === "refused") return;
    // Who walked away comes back and holds the phone out all the same.
    if (random.chance(0.5)) {
      const outcome = await perform(world, terminal.node, 20_000, () => terminal.app.accept(shown));
      world.tell(() => `${wallet.name} shows ${terminal.name} what it paid before the void: ${wordOf(outcome)}`);
    }
    if (!world.fate.strikes("colluding-payees", 0.4)) return;
    await wait(world, random.below(2 * DAY_MS));
    await perform(world, terminal.node, 0, () => uploadVoided(world, terminal, { request: codeText, payment: shown }));
  }

  /** Days after it was paid a payee gives the request up, as if the money were still the payer's. */
  #voidLater(wallet: SimulatedWallet, terminal: SimulatedTerminal, codes: Codes): void {
    const world = this.#world;
    world.kernel.after(DAY_MS + world.kernel.cause.random.below(DAY_MS), undefined, async () => {
      await perform(world, terminal.node, 0, () => voidSettled(world, terminal, codes));
      await perform(world, wallet.node, 0, () => wallet.sync());
    });
  }

  /** Whether the request is given up for good, which a paid one cannot be. */
  async #void(wallet: SimulatedWallet, terminal: SimulatedTerminal, requestId: MessageId): Promise<boolean> {
    const world = this.#world;
    const outcome = await perform(world, terminal.node, 5_000, () => terminal.app.voidRequest(requestId));
    if (outcome?.kind !== "voided") return false;
    world.tell(() => `${terminal.name} voids a request of ${wallet.name}'s`);
    if (world.kernel.cause.random.chance(0.5))
      await perform(world, wallet.node, 500, async () => void (await acceptVoid(wallet.ports, outcome.codeText)));
    return true;
  }

  #photograph(photograph: Photograph): void {
    if (this.photographs.length === PHOTOGRAPHS) this.photographs.shift();
    this.photographs.push(photograph);
  }

  #refused(who: string, code: string): undefined {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.#world.truth.counts.refused += 1;
    this.#world.tell(() => `${who} refuses: ${code}`);
    return undefined;
  }
}
