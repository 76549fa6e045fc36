import { type AccountNumber, accountNumber, type Partition, partitionOf } from "@cairn/issue";
import { type Currency, isPayeeId, type PayeeId } from "@cairn/messages";
import { type LedgerEntry, receivedEntry } from "@cairn/settle";
import { type IssuerStore, partitionOfId } from "@cairn/stores";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Clock } from "../clock.ts";
import type { Logger } from "./logger.ts";
import { type Clearing, sweepClearing, sweepPayees } from "./payouts/sweep.ts";
import { mayBeReceiver } from "./receiver-ids.ts";

const Receiver = Type.Object({ account: Type.Integer(), moves: Type.Integer() });
type Receiver = Static<typeof Receiver>;

export type CreditsContext = {
  readonly store: IssuerStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCredited: (account: AccountNumber) => void;
};

/**
 * Brings what people were paid into their accounts: out of clearing into the payee's own account, and from there, in the
 * same partition, into the person's. May be asked at any time and by many at once: it moves what is there. Gives how
 * many accounts were credited.
 */
export async function creditReceivers(context: CreditsContext): Promise<number> {
  const { store } = context;
  const receivers = new Map<PayeeId, string>();
  for (const { id, body } of await store.operationRecords("receiver")) if (isPayeeId(id)) receivers.set(id, body);
  if (receivers.size === 0) return 0;
  await sweepPayees(context, (payeeId) => receivers.has(payeeId));
  let credited = 0;
  for (const { ledgerAccount, currency, minor } of await store.ledgerBalances("payee")) {
    if (ledgerAccount.kind !== "payee" || minor >= 0n) continue;
    const receiver = receivers.get(ledgerAccount.payeeId);
    if (receiver === undefined) continue;
    const account = accountNumber(readReceiver(receiver).account);
    if (!(await creditOne({ payeeId: ledgerAccount.payeeId, account, currency }, context))) continue;
    credited++;
    context.onCredited(account);
  }
  return credited;
}

/** As `creditReceivers`, of what one receiver was paid in one partition: what it costs does not grow with the receivers. */
async function creditReceiver(clearing: Clearing, context: CreditsContext): Promise<boolean> {
  const { payeeId, currency } = clearing;
  const account = await accountReceivingAs(payeeId, context.store);
  if (account === undefined) return false;
  await sweepClearing(clearing, context);
  if (!(await creditOne({ payeeId, account, currency }, context))) return false;
  context.onCredited(account);
  return true;
}

/** Whose account it is that receives as this payee; undefined for payees of the ordinary kind. */
export async function accountReceivingAs(payeeId: PayeeId, store: IssuerStore): Promise<AccountNumber | undefined> {
  const record = { kind: "receiver", id: payeeId } as const;
  const receiver = await store.move({ partition: partitionOfId(payeeId), records: [record] }, (view) => ({
    result: view.record(record),
  }));
  return receiver === undefined ? undefined : accountNumber(readReceiver(receiver).account);
}

/** Where entries that settle payments left something for payees who may be people. */
function clearingsIn(partition: Partition, entries: readonly LedgerEntry[]): Clearing[] {
  const clearings: Clearing[] = [];
  const seen = new Set<LedgerEntry["postings"][number]["ledgerAccount"]>();
  for (const { postings, currency } of entries)
    for (const { ledgerAccount } of postings) {
      // Nearly all entries of a batch name the same few by the same objects.
      if (ledgerAccount.kind !== "clearing" || seen.has(ledgerAccount)) continue;
      seen.add(ledgerAccount);
      const { payeeId } = ledgerAccount;
      if (mayBeReceiver(payeeId)) clearings.push({ partition, payeeId, currency });
    }
  return clearings;
}

type Place = { readonly payeeId: PayeeId; readonly account: AccountNumber; readonly currency: Currency };

function creditOne(place: Place, { store, clock }: CreditsContext): Promise<boolean> {
  const { payeeId, account, currency } = place;
  const own = { kind: "payee", payeeId } as const;
  const record = { kind: "receiver", id: payeeId } as const;
  const input = { partition: partitionOf(account), accounts: [account], balances: [own], records: [record] };
  return store.move(input, (view) => {
    const amountMinor = -view.balance(own, currency);
    if (amountMinor <= 0n) return { result: false };
    const moves = readReceiver(view.record(record) ?? "").moves + 1;
    const creditUsedMinor = view.account(account).record.credit.usedMinor;
    const at = clock.nowSeconds();
    const about = { payeeId, account, currency, amountMinor, creditUsedMinor, number: moves, at };
    const { entry, repaidMinor } = receivedEntry(about);
    const next: Receiver = { account, moves };
    return {
      result: true,
      entries: [entry],
      records: [{ ...record, body: JSON.stringify(next) }],
      repaid: { account, minor: repaidMinor },
    };
  });
}

/** One run at a time; whoever asks meanwhile gets one more after it. */
export class ReceiverCredits {
  readonly #context: CreditsContext;
  #running: Promise<void> | undefined;
  #round: Promise<void> | undefined;
  #isEveryoneWanted = false;
  readonly #wanted = new Map<string, Clearing>();

  constructor(context: CreditsContext) {
    this.#context = context;
  }

  /** Looks at everybody's: what another process settled, or what was cut off. Never throws. */
  wake(): void {
    this.#isEveryoneWanted = true;
    this.#start();
  }

  /** Settlement wrote these entries in a partition. Never throws: `wake` looks again at what could not be credited. */
  settled(partition: Partition, entries: readonly LedgerEntry[]): void {
    for (const clearing of clearingsIn(partition, entries))
      this.#wanted.set(`${partition} ${clearing.payeeId} ${clearing.currency}`, clearing);
    if (this.#isWanted) this.#start();
  }

  /** Until what was settled before now is in its accounts, however much is settled meanwhile. */
  async caughtUp(): Promise<void> {
    const isWanted = this.#isWanted;
    await this.#round;
    if (isWanted) await this.#round;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  get #isWanted(): boolean {
    return this.#isEveryoneWanted || this.#wanted.size > 0;
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#round = this.#credit();
      await this.#round;
    }
    this.#round = undefined;
  }

  async #credit(): Promise<void> {
    const context = this.#context;
    const wanted = [...this.#wanted.values()];
    const looks = this.#isEveryoneWanted
      ? [() => creditReceivers(context)]
      : wanted.map((clearing) => async () => Number(await creditReceiver(clearing, context)));
    this.#wanted.clear();
    this.#isEveryoneWanted = false;
    let credited = 0;
    let failure: unknown;
    for (const look of looks)
      try {
        credited += await look();
      } catch (error) {
        // One account's trouble is not the others'.
        failure = error;
      }
    if (credited > 0) context.log.info({ credited }, "receivers credited");
    if (failure !== undefined)
      context.log.error({ err: failure }, "receivers could not be credited; it is tried again");
  }
}

const readReceiver = (body: string): Receiver => Value.Parse(Receiver, JSON.parse(body));
