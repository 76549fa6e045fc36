import { reportLoss, withdrawKey } from "@cairn/issuer/services";
import { DISHONEST, type FaultKind } from "../faults.ts";
import type { Node } from "../kernel/kernel.ts";
import { copyOf } from "../parties/copy-wallet.ts";
import { perform, wait } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import { SimulatedWallet } from "../parties/wallet.ts";
import { drain } from "./drain.ts";
import { closeByHand, largest, STYLES, showForged, takeKey, uploadForged } from "./forger.ts";
import { payWithForgedCertificates } from "./issuer-key-thief.ts";
import { payAround, takeListsAndStayAway, whoCanStillPay } from "./last-seconds.ts";
import { Replays } from "./replays.ts";
import type { Shopping } from "./shopping.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const MOST_HOURS_TO_RESOLVE = 96;
/** A new key is announced a week before it signs. */
const ROTATION_OVERLAP_SECONDS = 7 * 86_400;
/** A thief who has the key alone, not the phone, writes the closing. */
const CLOSES_BY_HAND = 0.4;
const LARGEST_CLOCK_JUMP_SECONDS = 7_200;

/** What goes wrong by somebody's will or by bad luck, one function for each kind. */
export class Mischief {
  readonly #world: World;
  readonly #shopping: Shopping;
  #copies = 0;
  readonly #replays: Replays;
  readonly counts = new Map<FaultKind, number>();

  constructor(world: World, shopping: Shopping) {
    this.#world = world;
    this.#shopping = shopping;
    this.#replays = new Replays(world, shopping);
  }

  async happen(kind: FaultKind, on: { readonly wallet: number; readonly terminal: number }): Promise<void> {
    if (!this.#world.fate.has(kind)) return;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const wallet = await this.#world.wallet(on.wallet);
    const terminal = this.#world.terminal(on.terminal);
    if (DISHONEST.has(kind)) await drain(this.#world, wallet);
    await this.#do(kind, wallet, terminal, on.wallet);
    if (DISHONEST.has(kind)) await this.#startAnew(wallet, on.wallet);
  }

  async #do(kind: FaultKind, wallet: SimulatedWallet, terminal: SimulatedTerminal, number: number): Promise<void> {
    switch (kind) {
      case "crashes":
        return this.#kill(wallet.node, terminal.node);
      case "clocks":
        return this.#jump(this.#world.kernel.cause.random.chance(0.5) ? wallet.node : terminal.node);
      case "lost-phones":
        return this.#lose(wallet, number);
      case "cloned-phones":
        return this.#clone(wallet);
      case "restored-phones":
        return this.#restore(wallet, number);
      case "extracted-keys":
        return this.#extract(wallet);
      case "false-closings":
        return this.#closeFalsely(wallet);
      case "colluding-payees":
        return this.#collude(wallet, terminal);
      case "replays":
        return this.#replays.happen(terminal);
      case "key-rotation":
        return this.#rotate();
      case "last-seconds":
        return this.#loseAtTheLastSecond(terminal, number);
      case "stolen-issuer-keys":
        return payWithForgedCertificates(this.#world, wallet, terminal);
      case "network":
      case "stale-lists":
      case "mistaken-apps":
        return;
    }
  }

  /** Days later a person has looked at the conflict: the account may go on, with a new phone. */
  async #startAnew(wallet: SimulatedWallet, number: number): Promise<void> {
    const world = this.#world;
    const { issuer, kernel } = world;
    const { account } = wallet.owner;
    await wait(world, kernel.cause.random.between(MOST_HOURS_TO_RESOLVE / 2, MOST_HOURS_TO_RESOLVE) * HOUR_MS);
    const resolved = await perform(world, issuer.server, 0, () =>
      issuer.context.store.resolveConflicts(account, issuer.nowSeconds()),
    );
    if (resolved === undefined || resolved === 0) return;
    const successor = await this.#successorOf(wallet, number);
    world.tell(() => `the operator resolves what ${wallet.name} is blamed for; its owner has ${successor.name}`);
  }

  /** A new phone in the place of the old one, which stays with whoever has it. */
  async #successorOf(wallet: SimulatedWallet, number: number): Promise<SimulatedWallet> {
    const world = this.#world;
    this.#copies += 1;
    const signer = world.surroundings.signatures.signer(`phone ${this.#copies}`);
    world.losesReceiver(wallet);
    const successor = this.#phone(wallet, `wallet W${number + 1} on phone ${this.#copies + 1}`, signer);
    await successor.enrol(2, wallet.deviceId);
    const before = world.wallets.get(number);
    if (before !== undefined) world.otherWallets.push(before);
    world.wallets.set(number, successor);
    return successor;
  }

  #kill(...devices: readonly Node[]): void {
    const { fate, kernel, issuer } = this.#world;
    fate.kill(kernel.cause.random.pick([...devices, issuer.server, issuer.worker]));
  }

  /** For some hours, until somebody sets it right. */
  async #jump(node: Node): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    node.skewSeconds = random.between(-LARGEST_CLOCK_JUMP_SECONDS, LARGEST_CLOCK_JUMP_SECONDS);
    world.tell(() => `${node.name}'s clock is now ${node.skewSeconds} s ahead`);
    await wait(world, random.between(1, 12) * HOUR_MS);
    node.skewSeconds = 0;
  }

  /** The finder pays with it until its loss is reported and tills know; its owner enrols a new phone. */
  async #lose(wallet: SimulatedWallet, number: number): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    world.tell(() => `${wallet.name} is lost, and a finder goes on paying with it`);
    await this.#spree(wallet, 4, 30 * HOUR_MS);
    await wait(world, random.below(5 * HOUR_MS));
    await this.#reportLost(wallet, number, 1_000);
  }

  /** Until the server has heard of it. */
  async #reportLost(wallet: SimulatedWallet, number: number, afterMs: number): Promise<void> {
    const world = this.#world;
    for (let tried = 0; tried < 50; tried += 1) {
      const done = await perform(world, world.issuer.server, afterMs, () =>
        reportLoss(wallet.deviceId, world.issuer.context),
      );
      if (done !== undefined) break;
      await wait(world, 60_000);
    }
    world.tell(() => `${wallet.name} is reported lost, and its owner has a new phone`);
    const successor = await this.#successorOf(wallet, number);
    await successor.sync();
  }

  /**
   * A terminal takes its lists in the second in which a loss is reported, just before, and stays away as long as it may;
   * in the last second of that the finder pays there.
   */
  async #loseAtTheLastSecond(terminal: SimulatedTerminal, first: number): Promise<void> {
    const world = this.#world;
    const found = await whoCanStillPay(world, first);
    const lastSecond = found === undefined ? undefined : await takeListsAndStayAway(world, terminal);
    if (found === undefined || lastSecond === undefined) return;
    await this.#reportLost(found.wallet, found.number, 0);
    await payAround(world, this.#shopping, { wallet: found.wallet, terminal, second: lastSecond });
  }

  async #clone(wallet: SimulatedWallet): Promise<void> {
    const copy = await this.#copy(wallet, "the copy of ");
    this.#world.tell(() => `${wallet.name} is copied, key and all`);
    for (const each of [copy, wallet]) await this.#spree(each, 6, 20 * HOUR_MS);
  }

  /** A backup is put onto another phone, a day later: counters run backwards. */
  async #restore(wallet: SimulatedWallet, number: number): Promise<void> {
    const world = this.#world;
    const copy = await this.#copy(wallet, "the old state of ");
    await wait(world, 20 * HOUR_MS);
    world.tell(() => `${wallet.name} is set back to what it was 20 hours ago`);
    if (world.wallets.get(number) !== wallet) return;
    world.wallets.set(number, copy);
    world.otherWallets.push(wallet);
  }

  async #extract(wallet: SimulatedWallet): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const taken = await takeKey(world, wallet);
    if (taken === undefined) return;
    world.truth.dishonest.set(wallet.owner.account, "its key was taken");
    world.tell(() => `the key of ${wallet.name} is taken out`);
    const count = random.between(3, 8);
    // One till again and again, all tills of one payee, or all over town, from phone to phone too.
    const everywhere = [...world.terminals, ...world.receivers.values()];
    const first = random.pick(everywhere);
    const ofPayee = everywhere.filter(({ payeeId }) => payeeId === first.payeeId);
    const haunts = random.pick([[first], ofPayee, everywhere]);
    const style = random.pick(STYLES);
    for (let number = 0; number < count; number += 1) {
      await wait(world, random.below(HOUR_MS));
      const terminal = random.pick(haunts);
      await perform(world, terminal.node, 0, () => showForged(world, taken, terminal, { style }));
    }
  }

  async #closeFalsely(wallet: SimulatedWallet): Promise<void> {
    const world = this.#world;
    if (world.kernel.cause.random.chance(CLOSES_BY_HAND)) return this.#closeByHand(wallet);
    const copy = await this.#copy(wallet, "the copy of ");
    world.tell(() => `${wallet.name} is copied; it closes its certificate, and the copy spends it all the same`);
    await perform(world, wallet.node, 1_000, () => wallet.sync(true));
    for (const each of [copy, wallet]) await this.#spree(each, 5, 20 * HOUR_MS);
  }

  /** With the key alone: the last word, then the money away, then payments that the last word denies. */
  async #closeByHand(wallet: SimulatedWallet): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const taken = await takeKey(world, wallet);
    if (taken === undefined) return;
    world.truth.dishonest.set(wallet.owner.account, "its key was taken");
    await closeByHand(world, taken);
    await drain(this.#world, wallet);
    const parts = 2;
    const leftMinor = taken.certificate.terms.limitMinor - taken.counter.spentMinor;
    for (let number = 0; number < parts; number += 1) {
      await wait(world, random.below(HOUR_MS));
      const terminal = random.pick(world.terminals);
      const mostMinor = leftMinor / BigInt(parts);
      await perform(world, terminal.node, 0, () =>
        showForged(world, taken, terminal, { style: "beyond the limit", mostMinor }),
      );
    }
  }

  async #collude(wallet: SimulatedWallet, terminal: SimulatedTerminal): Promise<void> {
    const world = this.#world;
    const taken = await takeKey(world, wallet);
    if (taken === undefined) return;
    world.truth.dishonest.set(wallet.owner.account, "its key was taken");
    world.truth.evilTerminals.add(terminal.terminalId);
    await perform(world, terminal.node, 1_000, () => uploadForged(world, taken, terminal));
  }

  async #rotate(): Promise<void> {
    const world = this.#world;
    const { issuer, kernel } = world;
    const isCompromised = kernel.cause.random.chance(0.3);
    await perform(world, issuer.server, 0, async () => {
      const { context } = issuer;
      const now = issuer.nowSeconds();
      if (isCompromised) await withdrawKey(issuer.keys.active(now).keyId, context);
      else {
        await issuer.keys.rotate({ now, overlapSeconds: ROTATION_OVERLAP_SECONDS });
        await context.trustLists.refresh(now);
        context.statusLists.markChanged();
      }
    });
    await issuer.followKeys();
    world.tell(() => (isCompromised ? "the issuer withdraws its key" : "the issuer rotates its key"));
  }

  /** Purchases all over town within so long, as large as the phone can pay. */
  async #spree(wallet: SimulatedWallet, purchases: number, withinMs: number): Promise<void> {
    const world = this.#world;
    const { random } = world.kernel.cause;
    const taken = await takeKey(world, wallet);
    const mostMinor = taken === undefined ? 9_000 : Number(largest(taken));
    for (let number = 0; number < purchases; number += 1) {
      const terminal = random.pick(world.terminals);
      const amountMinor = BigInt(random.between(Math.ceil(mostMinor / 3), mostMinor));
      world.kernel.after(random.below(withinMs), undefined, () =>
        this.#shopping.purchase(wallet, terminal, amountMinor),
      );
    }
  }

  async #copy(wallet: SimulatedWallet, prefix: string): Promise<SimulatedWallet> {
    const world = this.#world;
    world.truth.dishonest.set(wallet.owner.account, "it was copied");
    const copy = this.#phone(wallet, `${prefix}${wallet.name}`, wallet.signer, await copyOf(wallet.durable));
    world.otherWallets.push(copy);
    return copy;
  }

  #phone(
    wallet: SimulatedWallet,
    name: string,
    signer: SimulatedWallet["signer"],
    durable?: SimulatedWallet["durable"],
  ): SimulatedWallet {
    const about = { name, owner: wallet.owner, signer };
    const { surroundings } = this.#world;
    return new SimulatedWallet(surroundings, durable === undefined ? about : { ...about, durable });
  }
}
