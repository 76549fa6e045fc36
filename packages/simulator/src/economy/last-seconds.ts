import { amount, decodeMessage, type MessageId, userCertificate } from "@cairn/messages";
import { perform, wait } from "../parties/party.ts";
import { RECORDS, type SimulatedTerminal } from "../parties/terminal.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import type { Shopping } from "./shopping.ts";
import { wordOf } from "./shopping.ts";
import { CURRENCY, MAXIMUM_OFFLINE_SECONDS, type World } from "./world.ts";

/** What happens in the very last second in which it may: bounds are where mistakes are. */

/** To pay and to accept: all within the second. */
const STEP_MS = 300;
const MINUTE_SECONDS = 60;
const PRICE_MINOR = 100n;
/** Its clock may be behind. */
const AWAY_LONGER_MS = 600_000;

/** Whose phone, from the first one on, holds a certificate that outlasts the longest absence of a terminal. */
export async function whoCanStillPay(
  world: World,
  first: number,
): Promise<{ readonly wallet: SimulatedWallet; readonly number: number } | undefined> {
  const { crypto } = world.surroundings.signatures;
  const until = world.issuer.nowSeconds() + MAXIMUM_OFFLINE_SECONDS + MINUTE_SECONDS;
  for (let step = 0; step < world.options.wallets; step += 1) {
    const number = (first + step) % world.options.wallets;
    const wallet = world.wallets.get(number);
    if (wallet === undefined || !wallet.node.isUp || world.truth.dishonest.has(wallet.owner.account)) continue;
    const certificates = await wallet.durable.commit({ kind: "none" }, (stored) => ({
      result: stored.certificates,
      writes: [],
    }));
    const newest = certificates.at(-1);
    if (newest === undefined || newest.closing !== undefined || newest.revoked) continue;
    if (newest.counter.spentMinor + 2n * PRICE_MINOR > newest.limitMinor) continue;
    if (decodeMessage(userCertificate, newest.bytes, crypto).unverified.expiresAt > until) return { wallet, number };
  }
  return undefined;
}

/**
 * The terminal takes the lists of this second and then keeps off the network for as long as its payee certificate
 * allows. Gives the last second of that, by its own clock; undefined when it is away already, or down.
 */
export async function takeListsAndStayAway(world: World, terminal: SimulatedTerminal): Promise<number | undefined> {
  const { issuer, kernel, truth } = world;
  if (kernel.now < terminal.awayUntil) return undefined;
  const setup = await terminal.durable.setup();
  if (setup === undefined) return undefined;
  const { payeeCertificate } = setup.setup;
  const taken = await perform(world, terminal.node, 0, async () => {
    // Something else was withdrawn a moment ago, so the list is of this second.
    issuer.context.statusLists.markChanged();
    return terminal.app.applyLists({ ...(await issuer.lists()), payeeCertificate });
  });
  const signedAt = truth.listSignedAt(terminal.terminalId);
  if (taken === undefined || signedAt === undefined) return undefined;
  const lastSecond = signedAt + MAXIMUM_OFFLINE_SECONDS;
  terminal.awayUntil = lastSecond * 1_000 + AWAY_LONGER_MS;
  world.tell(() => `${terminal.name} takes new lists and stays away for as long as it may`);
  return lastSecond;
}

/**
 * A small purchase that is asked, paid and accepted while the terminal's clock shows that second, since what is settled
 * goes by when it asked; and an open payment a second later, when the terminal may no longer take it.
 */
export async function payAround(
  world: World,
  shopping: Shopping,
  at: { readonly wallet: SimulatedWallet; readonly terminal: SimulatedTerminal; readonly second: number },
): Promise<void> {
  const { kernel } = world;
  const { wallet, terminal, second } = at;
  /** Milliseconds until its clock, as it goes now, shows the second. */
  const left = (): number => Math.max(0, (second - terminal.node.skewSeconds) * 1_000 - kernel.now);
  // Once more when it is near: clocks may have been set meanwhile.
  await wait(world, Math.max(0, left() - MINUTE_SECONDS * 1_000));
  await wait(world, left());
  await payAtOnce(world, shopping, { wallet, terminal });
  await wait(world, left() + 1_000 - (kernel.now % 1_000));
  await shopping.ride(wallet, terminal, PRICE_MINOR);
  terminal.awayUntil = 0;
  await perform(world, terminal.node, MINUTE_SECONDS * 1_000, () => terminal.upload());
}

async function payAtOnce(
  world: World,
  shopping: Shopping,
  { wallet, terminal }: { readonly wallet: SimulatedWallet; readonly terminal: SimulatedTerminal },
): Promise<void> {
  const asked = await perform(world, terminal.node, 0, () =>
    terminal.app.charge({ amount: amount(PRICE_MINOR, CURRENCY) }),
  );
  if (asked?.kind !== "requested") return;
  const { payeeId, name } = terminal;
  world.truth.asked(asked.requestId, { payeeId, terminal: name, amountMinor: PRICE_MINOR });
  const shown = await perform(world, wallet.node, STEP_MS, () => shopping.pay(wallet, asked.codeText));
  if (shown === undefined || shown === "refused") return;
  const outcome = await perform(world, terminal.node, STEP_MS, () => terminal.app.accept(shown));
  world.tell(() => `${wallet.name} pays at ${name} in the last second of its lists: ${wordOf(outcome)}`);
}

/**
 * Brings what the terminal accepted just when the last second begins in which that may be: for each certificate whose
 * payments the server has not settled by then.
 * @param nextCause What each of them goes back to.
 */
export async function bringInTheLastSecond(
  world: World,
  terminal: SimulatedTerminal,
  nextCause: () => number,
): Promise<void> {
  const { kernel, truth, issuer } = world;
  const { payeeId, terminalId } = terminal;
  const isWaiting = async (paymentId: MessageId): Promise<boolean> => {
    const [outcome] = await world.store.outcomes([paymentId], { payeeId, terminalId });
    return outcome?.state !== "settled";
  };
  const waiting: MessageId[] = [];
  const seconds = new Map<number, MessageId[]>();
  for (const [paymentId, acceptances] of truth.accepted) {
    const its = acceptances.find((acceptance) => acceptance.terminalId === terminalId);
    if (its === undefined || !(await isWaiting(paymentId))) continue;
    waiting.push(paymentId);
    const second = its.certificateExpiresAt + world.policy.uploadDeadlineSeconds - issuer.server.skewSeconds;
    if (second * 1_000 > kernel.now) seconds.set(second, [...(seconds.get(second) ?? []), paymentId]);
  }
  // More than one call holds take more than a second.
  if (waiting.length > RECORDS) {
    await perform(world, terminal.node, 0, () => terminal.upload());
    return;
  }
  for (const [second, paymentIds] of seconds)
    kernel.begin(second * 1_000, nextCause(), async () => {
      for (const paymentId of paymentIds) {
        if (!(await isWaiting(paymentId))) continue;
        world.tell(() => `${terminal.name} comes home in the last second in which it may`);
        await perform(world, terminal.node, 0, () => terminal.upload());
        return;
      }
    });
}
