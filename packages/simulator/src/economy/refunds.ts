import { ServiceError, sweepPayees } from "@cairn/issuer/services";
import type { MessageId } from "@cairn/messages";
import { NoAnswer } from "../kernel/network.ts";
import { Seeded } from "../kernel/seeded.ts";
import { perform, wait } from "../parties/party.ts";
import type { RefundOrder, SimulatedTerminal } from "../parties/terminal.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import { DAY_MS } from "./plan.ts";
import type { World } from "./world.ts";

/** How often somebody brings back what was bought, within days. */
const BROUGHT_BACK = 0.02;
/** At a till of another shop, which must be refused. */
const WRONG_SHOP = 0.1;
/** An impatient cashier presses twice. */
const PRESSES_TWICE = 0.2;
const LATEST_MS = 3 * DAY_MS;
/** Its payee was paid out before, so that the money comes from elsewhere than where it was settled. */
const PAID_OUT_BEFORE = 0.3;
/** A cashier asks again until there is an answer: what is not settled yet, or waits for the payee's money, comes later. */
const TRIES = 8;
const AGAIN_MS = 4 * 3_600_000;
const ASK_AGAIN: ReadonlySet<string> = new Set([
  "PAYMENT_UNKNOWN",
  "PAYMENT_NOT_SETTLED",
  "PAYEE_FUNDS_INSUFFICIENT",
  "NONCE_INVALID",
]);

type Sale = {
  readonly wallet: SimulatedWallet;
  readonly terminal: SimulatedTerminal;
  readonly paymentId: MessageId;
  readonly takenMinor: bigint;
};

/**
 * Some sales are given back later: all of what was paid, part of it, or more, which the server must refuse. The luck
 * of it is drawn by itself, so that the sale's own does not change.
 */
export function perhapsBringBack(world: World, sale: Sale): void {
  const { kernel, options } = world;
  // Persons pay back as they paid.
  if (sale.terminal.isOnPhone) return;
  const random = new Seeded(options.seed, "refund", kernel.cause.id);
  if (!random.chance(BROUGHT_BACK)) return;
  kernel.after(random.below(LATEST_MS), undefined, async () => {
    if (random.chance(PAID_OUT_BEFORE)) await sweep(world, sale.terminal);
    const tills = world.terminals.filter(({ payeeId }) => payeeId === sale.terminal.payeeId);
    for (const [index, amountMinor] of amountsOf(sale.takenMinor, random).entries()) {
      const till = random.pick(random.chance(WRONG_SHOP) ? world.terminals : tills);
      const order = { paymentId: sale.paymentId, amountMinor, key: `sale-${kernel.cause.id}-${index}` };
      const presses = Array.from({ length: random.chance(PRESSES_TWICE) ? 2 : 1 }, () =>
        giveBack(world, till, order, sale),
      );
      await Promise.all(presses);
    }
  });
}

/** What a payee was credited goes into its own account, as it does before each payout. */
async function sweep(world: World, { payeeId }: SimulatedTerminal): Promise<void> {
  const { issuer } = world;
  await perform(world, issuer.server, 0, () => sweepPayees(issuer.context, (its) => its === payeeId));
}

function amountsOf(takenMinor: bigint, random: Seeded): readonly bigint[] {
  if (random.chance(0.5)) return [takenMinor];
  const part = 1n + BigInt(random.below(Number(takenMinor)));
  return random.chance(0.5) ? [part, takenMinor] : [part, takenMinor - part + 1n];
}

async function giveBack(world: World, till: SimulatedTerminal, order: RefundOrder, { wallet }: Sale): Promise<void> {
  const { truth } = world;
  const reference = truth.givesBack(till, order);
  for (let tried = 0; tried < TRIES; tried += 1) {
    const answer = await perform(world, till.node, 1_000, () => askOnce(till, order));
    world.tell(() => `${till.name} gives ${money(order.amountMinor)} back to ${wallet.name}: ${answer ?? "no answer"}`);
    if (answer === "given") truth.refunded.add(reference);
    if (answer !== undefined && answer !== "no answer" && !ASK_AGAIN.has(answer)) return;
    await wait(world, AGAIN_MS);
  }
}

async function askOnce(till: SimulatedTerminal, order: RefundOrder): Promise<string> {
  try {
    await till.refund(order);
    return "given";
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    if (error instanceof NoAnswer) return "no answer";
    throw error;
  }
}
