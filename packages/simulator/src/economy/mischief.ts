import { CodedError } from "@cairn/cose";
import { openExposure } from "@cairn/issue";
import { reportLoss, ServiceError, withdraw, withdrawKey } from "@cairn/issuer/services";
import { DISHONEST, type FaultKind } from "../faults.ts";
import type { Node } from "../kernel/kernel.ts";
import { copyOf } from "../parties/copy-wallet.ts";
import { perform, wait } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import { STYLES, showForged, takeKey, uploadForged } from "./forger.ts";
import type { Shopping } from "./shopping.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const MOST_HOURS_TO_RESOLVE = 96;
const LISTS_KEPT = 12;
/** A new key is announced a week before it signs. */
const ROTATION_OVERLAP_SECONDS = 7 * 86_400;
const LARGEST_CLOCK_JUMP_SECONDS = 7_200;

/** What goes wrong by somebody's will or by bad luck, one function for each kind. */
export class Mischief {
  readonly #world: World;
  readonly #shopping: Shopping;
  #copies = 0;
  readonly #lists: { readonly trustList: Uint8Array; readonly statusList: Uint8Array }[] = [];
  readonly counts = new Map<FaultKind, number>();

  constructor(world: World, shopping: Shopping) {
    this.#world = world;
    this.#shopping = shopping;
  }

  async happen(kind: FaultKind, on: { readonly wallet: number; readonly terminal: number }): Promise<void> {
    if (!this.#world.fate.has(kind)) return;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const wallet = await this.#world.wallet(on.wallet);
    const terminal = this.#world.terminal(on.terminal);
    if (DISHONEST.has(kind)) await this.#drain(wallet);
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
        return this.#replay(terminal);
      case "key-rotation":
        return this.#rotate();
      case "network":
      case "stale-lists":
        return;
    }
  }

  /** Whoever means to overspend first takes home what is not promised to certificates: so what is overspent is a loss. */
  async #drain(wallet: SimulatedWallet): Promise<void> {
    const world = this.#world;
    const { issuer } = world;
    const { account } = wallet.owner;
    await perform(world, issuer.server, 0, async () => {
      const { context } = issuer;
      const now = issuer.nowSeconds();
      const { policy } = context.policies.at(now);
      const its = await context.store.account(account);
      const promisedMinor = openExposure(await context.store.certificatesOf(account), policy, now);
      const amountMinor = (its?.balanceMinor ?? 0n) - promisedMinor;
      if (amountMinor <= 0n) return;
      try {
        await withdraw({ account, amountMinor, idempotencyKey: `drain-${world.kernel.cause.id}` }, context);
        world.tell(() => `the owner of ${wallet.name} withdraws ${money(amountMinor)}`);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
      }
    });
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
    this.#spree(wallet, 4, 30 * HOUR_MS);
    await wait(world, random.below(5 * HOUR_MS));
    for (let tried = 0; tried < 50; tried += 1) {
      const done = await perform(world, world.issuer.server, 1_000, () =>
        reportLoss(wallet.deviceId, world.issuer.context),
      );
      if (done !== undefined) break;
      await wait(world, 60_000);
    }
    world.tell(() => `${wallet.name} is reported lost, and its owner has a new phone`);
    const successor = await this.#successorOf(wallet, number);
    await successor.sync();
  }

  async #clone(wallet: SimulatedWallet): Promise<void> {
    const copy = await this.#copy(wallet, "the copy of ");
    this.#world.tell(() => `${wallet.name} is copied, key and all`);
    this.#spree(copy, 6, 20 * HOUR_MS);
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
    // One till again and again, all tills of one payee, or all over town.
    const first = random.pick(world.terminals);
    const ofPayee = world.terminals.filter(({ payeeId }) => payeeId === first.payeeId);
    const haunts = random.pick([[first], ofPayee, world.terminals]);
    const style = random.pick(STYLES);
    for (let number = 0; number < count; number += 1) {
      await wait(world, random.below(HOUR_MS));
      const terminal = random.pick(haunts);
      await perform(world, terminal.node, 0, () => showForged(world, taken, terminal, style));
    }
  }

  async #closeFalsely(wallet: SimulatedWallet): Promise<void> {
    const world = this.#world;
    const copy = await this.#copy(wallet, "the copy of ");
    world.truth.falselyClosed.add(wallet.owner.account);
    world.tell(() => `${wallet.name} is copied; it closes its certificate, and the copy spends it all the same`);
    await perform(world, wallet.node, 1_000, () => wallet.sync(true));
    this.#spree(copy, 5, 20 * HOUR_MS);
    this.#spree(wallet, 5, 20 * HOUR_MS);
  }

  async #collude(wallet: SimulatedWallet, terminal: SimulatedTerminal): Promise<void> {
    const world = this.#world;
    const taken = await takeKey(world, wallet);
    if (taken === undefined) return;
    world.truth.dishonest.set(wallet.owner.account, "its key was taken");
    world.truth.evilTerminals.add(terminal.terminalId);
    await perform(world, terminal.node, 1_000, () => uploadForged(world, taken, terminal));
  }

  /** Codes and calls once more, as they were or with a bit changed, where they belong and where they do not. */
  async #replay(terminal: SimulatedTerminal): Promise<void> {
    const { kernel, truth } = this.#world;
    const { random } = kernel.cause;
    if (random.chance(0.3)) return this.#offerOldLists(terminal);
    if (random.chance(0.4) && truth.calls.length > 0) return this.#sendAgain();
    if (random.chance(0.2)) {
      await perform(this.#world, terminal.node, 500, () => terminal.upload("unsettled"));
      return;
    }
    const { photographs } = this.#shopping;
    if (photographs.length === 0) return;
    const photograph = random.pick(photographs);
    const at = random.chance(0.5) ? photograph.terminal : terminal;
    const codeText = random.chance(0.3) ? this.#spoiled(photograph.codeText) : photograph.codeText;
    const outcome = await perform(this.#world, at.node, 500, () =>
      photograph.isOpen ? at.app.acceptOpen(codeText, { captureMinor: 100n }) : at.app.accept(codeText),
    );
    this.#world.tell(() => {
      const said = outcome?.kind === "refused" ? `refuses: ${outcome.refusal.code}` : (outcome?.kind ?? "is down");
      return `somebody shows ${at.name} a payment that was shown before, and it ${said}`;
    });
  }

  /** Somebody on the line answers with lists of some time ago, all genuine. */
  async #offerOldLists(terminal: SimulatedTerminal): Promise<void> {
    const world = this.#world;
    const lists = await world.issuer.lists();
    this.#lists.push(lists);
    if (this.#lists.length > LISTS_KEPT) this.#lists.shift();
    const [oldest = lists] = this.#lists;
    const setup = await terminal.durable.setup();
    if (setup === undefined) return;
    const { payeeCertificate } = setup.setup;
    const refused = await perform(world, terminal.node, 500, () =>
      terminal.app.applyLists({ ...oldest, payeeCertificate }),
    );
    world.tell(
      () =>
        `${terminal.name} is offered old lists: ${refused?.map(({ code }) => code).join(", ") || "nothing to refuse"}`,
    );
  }

  async #sendAgain(): Promise<void> {
    const world = this.#world;
    const { issuer, kernel, truth } = world;
    const { random } = kernel.cause;
    const call = random.pick(truth.calls);
    const body = random.chance(0.3) ? flipped(call.body, random.below(call.body.length * 8)) : call.body;
    const answer = await perform(world, issuer.server, 500, async () => {
      try {
        await (call.kind === "upload" ? issuer.upload(body) : issuer.sync(body, []));
        return "takes it";
      } catch (error) {
        if (error instanceof ServiceError || error instanceof CodedError) return `refuses: ${error.code}`;
        throw error;
      }
    });
    world.tell(() => `somebody sends the server a call that was sent before, and it ${answer ?? "is down"}`);
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

  #spoiled(codeText: string): string {
    const at = this.#world.kernel.cause.random.below(codeText.length);
    return `${codeText.slice(0, at)}${codeText[at] === "7" ? "8" : "7"}${codeText.slice(at + 1)}`;
  }

  /** Purchases all over town within so long. */
  #spree(wallet: SimulatedWallet, purchases: number, withinMs: number): void {
    const world = this.#world;
    const { random } = world.kernel.cause;
    for (let number = 0; number < purchases; number += 1) {
      const terminal = random.pick(world.terminals);
      const amountMinor = BigInt(random.between(500, 9_000));
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

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}
