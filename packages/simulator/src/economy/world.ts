import { DEFAULT_COLLECT_POLICY } from "@cairn/collect";
import { cutBytesFromSlabs } from "@cairn/cose";
import { type AccountNumber, type IssuingPolicy, openExposure } from "@cairn/issue";
import {
  type Currency,
  currency,
  type DeviceId,
  type KeyProtection,
  type PayeeId,
  rememberDecoded,
} from "@cairn/messages";
import { type IssuerStore, MemoryIssuerStore } from "@cairn/stores";
import type { DiskCounts } from "../kernel/disk.ts";
import { Disk } from "../kernel/disk.ts";
import { Fate } from "../kernel/fate.ts";
import { Kernel, type Node } from "../kernel/kernel.ts";
import { Network } from "../kernel/network.ts";
import { Seeded } from "../kernel/seeded.ts";
import type { SimulationOptions } from "../options.ts";
import { SimulatedIssuer } from "../parties/issuer.ts";
import { perform, type Surroundings } from "../parties/party.ts";
import { openReceiver } from "../parties/receiver.ts";
import { SimulatedTerminal } from "../parties/terminal.ts";
import { SimulatedWallet } from "../parties/wallet.ts";
import { IssuingWatch } from "../promises/issuing-watch.ts";
import { LedgerWatch } from "../promises/ledger-watch.ts";
import { Truth } from "../promises/truth.ts";
import { Broken, type Violation } from "../promises/violation.ts";
import { realSignatures, simulatedSignatures } from "../signatures.ts";
import { moment } from "../story.ts";
import { policyOf } from "./policies.ts";

/** 2026-01-05 00:00 UTC, a Monday. */
export const START_MS = 1_767_571_200_000;
export const CURRENCY: Currency = currency("EUR");
/** Two tills to a shop: many tills of one payee are what a thief likes best. */
const TILLS_PER_PAYEE = 2;
/** Messages of each kind: what is in use on a busy day. */
const DECODED_REMEMBERED = 20_000;
/** How old a terminal's lists may be. */
export const MAXIMUM_OFFLINE_SECONDS = 3 * 86_400;
const LARGEST_SKEW_SECONDS = 140;

export type StoryLine = { readonly at: string; readonly says: string };

/** One economy: its issuer, its tills and, as soon as they do something, its wallets. */
export class World {
  readonly options: SimulationOptions;
  readonly policy: IssuingPolicy;
  readonly kernel: Kernel;
  readonly fate: Fate;
  readonly network: Network;
  readonly truth: Truth;
  readonly issuer: SimulatedIssuer;
  readonly watch: LedgerWatch;
  readonly story: StoryLine[] = [];
  readonly disk: DiskCounts = { records: 0, syncs: 0 };
  readonly surroundings: Surroundings;
  readonly terminals: SimulatedTerminal[] = [];
  /** By the plan's number. */
  readonly wallets = new Map<number, SimulatedWallet>();
  /** By which phones are paid, once somebody wanted to. */
  readonly receivers = new Map<DeviceId, SimulatedTerminal>();
  /** Copies and forgotten phones. */
  readonly otherWallets: SimulatedWallet[] = [];
  violation: Violation | undefined;
  readonly #opening = new Map<number, Promise<SimulatedWallet>>();
  readonly #store: IssuerStore;

  constructor(options: SimulationOptions, opened: IssuerStore | undefined) {
    this.options = options;
    const { seed } = options;
    cutBytesFromSlabs();
    this.policy = policyOf(seed);
    const report = (violation: Violation): never => {
      this.violation ??= violation;
      throw new Broken(violation);
    };
    const tell = (says: () => string): void => {
      if (options.isTold) this.story.push({ at: moment(this.kernel.now, START_MS), says: says() });
    };
    this.kernel = new Kernel({ seed, start: START_MS, onFault: (error) => this.#fault(error) });
    const { kernel } = this;
    const store = opened === undefined ? new MemoryIssuerStore() : outside(opened, kernel);
    this.#store = store;
    this.fate = new Fate({ kernel, kinds: options.faults, allowed: options.only, tell });
    const { fate } = this;
    this.network = new Network(kernel, fate);
    const signatures = options.realSignatures ? realSignatures(seed) : simulatedSignatures(seed);
    this.truth = new Truth(signatures.crypto, report);
    this.watch = new LedgerWatch(store, this.truth, this.policy.uploadDeadlineSeconds, report);
    const issuing = new IssuingWatch(store, this.policy, report);
    rememberDecoded(signatures.crypto, DECODED_REMEMBERED);
    this.issuer = new SimulatedIssuer({
      kernel,
      fate,
      signatures,
      random: new Seeded(seed, "issuer"),
      policy: this.policy,
      store,
      counts: this.disk,
      onWrite: (method, args) => this.watch.written(method, args) ?? issuing.written(method, args),
      onFault: (error) => this.#fault(error),
    });
    this.surroundings = {
      kernel,
      fate,
      signatures,
      tell,
      network: this.network,
      issuer: this.issuer,
      truth: this.truth,
      diskOf: (node: Node) => new Disk({ kernel, fate, node, counts: this.disk }),
      collectPolicy: DEFAULT_COLLECT_POLICY,
    };
  }

  get store(): IssuerStore {
    return this.#store;
  }

  tell(says: () => string): void {
    this.surroundings.tell(says);
  }

  async open(): Promise<void> {
    this.fate.isOver = true;
    await this.issuer.start();
    const { seed, terminals } = this.options;
    for (let number = 0; number < terminals; number += 1) {
      const payee = Math.floor(number / TILLS_PER_PAYEE);
      const payeeId = `SHOP-${payee + 1}` as PayeeId;
      await this.#store.createPayee({
        payeeId,
        name: `Shop ${payee + 1}`,
        currency: CURRENCY,
        perPaymentCapMinor: 20_000n,
        storedTotalCapMinor: 500_000n,
        perCertificateCapMinor: payee % 2 === 0 ? 15_000n : 4_000n,
        maximumOfflineSeconds: MAXIMUM_OFFLINE_SECONDS,
        createdAt: this.issuer.nowSeconds(),
      });
      const terminal = new SimulatedTerminal(this.surroundings, {
        name: `terminal T${number + 1}`,
        payeeId,
        signer: this.surroundings.signatures.signer(`terminal ${number}`),
        random: new Seeded(seed, "terminal", number),
      });
      await terminal.enrol();
      this.#skew(terminal.node, number);
      this.terminals.push(terminal);
    }
    this.fate.isOver = false;
  }

  terminal(number: number): SimulatedTerminal {
    const terminal = this.terminals[number];
    if (terminal === undefined) throw new RangeError(`There is no terminal ${number}.`);
    return terminal;
  }

  /** Opened, with an account of its own, when it is first met. */
  async wallet(number: number): Promise<SimulatedWallet> {
    const known = this.wallets.get(number);
    if (known !== undefined) return known;
    const opening = this.#opening.get(number) ?? this.#openWallet(number);
    this.#opening.set(number, opening);
    const wallet = await opening;
    if (!this.wallets.has(number)) this.wallets.set(number, wallet);
    return wallet;
  }

  /** The side of a wallet that is paid: set up when somebody wants to pay it. Undefined where that comes to nothing. */
  async receiver(number: number): Promise<SimulatedTerminal | undefined> {
    const wallet = await this.wallet(number);
    const known = this.receivers.get(wallet.deviceId);
    if (known !== undefined) return known;
    const opened = await perform(this, wallet.node, 0, () =>
      openReceiver(this.surroundings, wallet, this.options.seed),
    );
    // Two payers may have come at once.
    const receiver = this.receivers.get(wallet.deviceId) ?? opened;
    if (receiver !== undefined) this.receivers.set(wallet.deviceId, receiver);
    return receiver;
  }

  /** A phone finds a network: its wallet syncs, and what it was paid comes home. */
  async comesOnline(wallet: SimulatedWallet, closeAll = false): Promise<void> {
    await wallet.sync(closeAll);
    await this.receivers.get(wallet.deviceId)?.upload();
  }

  /** A phone is gone, and what it was paid and had not brought home with it. */
  losesReceiver({ deviceId }: SimulatedWallet): void {
    const receiver = this.receivers.get(deviceId);
    if (receiver === undefined) return;
    this.truth.goneReceivers.add(receiver.terminalId);
    this.receivers.delete(deviceId);
  }

  async #openWallet(number: number): Promise<SimulatedWallet> {
    const habit = new Seeded(this.options.seed, "account", number);
    const createdAt = this.issuer.nowSeconds();
    const account: AccountNumber = await this.#store.createAccount({
      name: `Payer ${number + 1}`,
      currency: CURRENCY,
      createdAt,
    });
    if (habit.chance(0.4)) {
      // Some lines are so short that a single thief comes to their end.
      const lineMinor = BigInt((habit.chance(0.5) ? habit.between(1, 20) : habit.between(5, 400)) * 100);
      const scoreBand = habit.pick(["A", "B", "C", "D"] as const);
      // Its source is not simulated: credit information that never grows old.
      await this.#store.setCredit(account, { lineMinor, overdueMinor: 0n, scoreBand, informedAt: 4_000_000_000 });
    }
    const wallet = new SimulatedWallet(this.surroundings, {
      name: `wallet W${number + 1}`,
      owner: { account, currency: CURRENCY },
      signer: this.surroundings.signatures.signer(`wallet ${number}`),
    });
    await wallet.enrol(habit.pick([0, 1, 2, 2, 3] as const satisfies readonly KeyProtection[]));
    this.#skew(wallet.node, this.options.terminals + number);
    return wallet;
  }

  async exposureMinor(): Promise<bigint> {
    const now = this.issuer.nowSeconds();
    let sumMinor = 0n;
    for (const wallet of this.wallets.values())
      sumMinor += openExposure(await this.#store.certificatesOf(wallet.owner.account), this.policy, now);
    return sumMinor;
  }

  #skew(node: Node, number: number): void {
    if (!this.options.faults.has("clocks")) return;
    const random = new Seeded(this.options.seed, "skew", number);
    node.skewSeconds = random.between(-LARGEST_SKEW_SECONDS, LARGEST_SKEW_SECONDS);
  }

  /** Something threw what nobody should throw. */
  #fault(error: unknown): void {
    if (error instanceof Broken) return;
    this.violation ??= { promise: 7, says: `the program fell over: ${wordsOf(error)}` };
  }
}

/** What was thrown, and where. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [where = ""] = /(?:packages|apps)\/\S+:\d+/.exec(error.stack ?? "") ?? [];
  return `${error.name}: ${error.message} (${where})`;
}

/** Virtual time stands still while the store works on a real disk. */
function outside(store: IssuerStore, kernel: Kernel): IssuerStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]): Promise<unknown> => {
        kernel.outside += 1;
        try {
          return await method.apply(target, args);
        } finally {
          kernel.outside -= 1;
        }
      };
    },
  });
}
